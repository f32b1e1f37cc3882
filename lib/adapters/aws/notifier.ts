import { type MessageAttributeValue, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { Fault } from '../../core/fault';
import { fitted, type Notification, readableText, subjectOf } from '../../core/notification';
import type { Notifier } from '../../core/ports';
import { awsFault } from './faults';

/** Where notifications are published. */
export interface SnsNotifierOptions {
  readonly client: SNSClient;
  readonly topicArn: string;
  /** 10 seconds, unless it says otherwise. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** SNS wants fewer than 100. */
const LONGEST_SUBJECT = 99;
/** SNS takes 256 KiB with all attributes. */
const MOST_BYTES = 250 * 1024;
/** Texts are cut to the first of these with which the message fits: it holds the text twice, in JSON within JSON. */
const TEXT_BYTES = [96 * 1024, 32 * 1024, 8 * 1024];
const ACCENTS = /\p{Mn}+/gu;
const NOT_ASCII = /[^\x20-\x7E]/gu;

/**
 * Notifications through an SNS topic: a text for people, JSON for queues and functions, and the attributes `severity`,
 * `kind` and `integration` for filter policies. Email, Slack and others are subscriptions of the topic.
 */
export class SnsNotifier implements Notifier {
  readonly channel = 'sns';
  readonly #options: SnsNotifierOptions;

  constructor(options: SnsNotifierOptions) {
    this.#options = options;
  }

  async send(notification: Notification): Promise<void> {
    const { client, topicArn, timeoutMs = TIMEOUT_MS } = this.#options;
    const command = new PublishCommand({
      TopicArn: topicArn,
      Subject: asciiSubject(notification),
      MessageStructure: 'json',
      Message: messageOf(notification),
      MessageAttributes: attributesOf(notification),
    });
    const doing = `publishing to the topic ${topicArn}`;
    const abortSignal = AbortSignal.timeout(timeoutMs);
    try {
      await client.send(command, { abortSignal });
    } catch (error) {
      if (!abortSignal.aborted) throw awsFault(error, doing);
      throw new Fault('transient', 'timeout', `${doing}: no answer within ${timeoutMs / 1000} s`, {
        hint: 'It is tried again by itself; if it stays, check that the network, or the VPC, has a way to SNS.',
        cause: error,
      });
    }
  }
}

/** SNS takes only ASCII there; letters lose their accents, what has no such form becomes a question mark. */
function asciiSubject(notification: Notification): string {
  const title = notification.title.normalize('NFKD').replace(ACCENTS, '');
  return subjectOf({ ...notification, title }, LONGEST_SUBJECT).replace(NOT_ASCII, '?');
}

/** The message for each kind of subscription. */
function messageOf(notification: Notification): string {
  for (const bytes of TEXT_BYTES) {
    const message = structured(fitted(notification, bytes));
    if (Buffer.byteLength(message) <= MOST_BYTES) return message;
  }
  // The text is short now, so that it is the facts that are too many.
  return structured({ ...fitted(notification, TEXT_BYTES.at(-1) ?? 0), facts: {} });
}

function structured(notification: Notification): string {
  const forPrograms = JSON.stringify(notification);
  return JSON.stringify({ default: readableText(notification), sqs: forPrograms, lambda: forPrograms });
}

function attributesOf({ severity, kind, integration }: Notification): Record<string, MessageAttributeValue> {
  const text = (value: string): MessageAttributeValue => ({ DataType: 'String', StringValue: value });
  return {
    severity: text(severity),
    kind: text(kind),
    ...(integration && { integration: text(integration) }),
  };
}
