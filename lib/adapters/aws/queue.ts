import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  type SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs';
import { Fault } from '../../core/fault';
import type { Delivery, Message, Queue, ReceiveRequest } from '../../core/ports';
import { awsFault } from './faults';
import { besideUrl, nameInArn } from './queue-addresses';
import { decodeDelivery, encodeMessage } from './queue-message';
import { nameOf, type Outgoing, sendAll } from './queue-send';

/** Which queues a {@link SqsQueue} works with. */
export interface SqsQueueOptions {
  readonly client: SQSClient;
  /** The URL of the queue that messages of `group` are sent to: that of the integration's connector. */
  urlOf(group: string): Promise<string>;
  /** The URL of the queue that is received from; its receipts are the only ones that can be used. */
  readonly own?: string;
  /** The URL of its dead-letter queue; left out, the queue itself is asked for it. */
  readonly deadLetters?: string;
  /** How many hops lie behind the message that is being worked on; what is sent to go on with a run counts one more. */
  hop?(): number;
}

interface RedrivePolicy {
  readonly deadLetterTargetArn?: string;
}

const LONGEST_POLL_S = 20;
const LARGEST_RECEIVE = 10;
const LONGEST_VISIBILITY_S = 12 * 60 * 60;
// Long enough to read all of them; given back at once afterwards.
const DEAD_LETTER_VISIBILITY_S = 30;
// Receipts of dead letters belong to another queue. Those of SQS are base64, without a colon.
const DEAD = 'dead:';
// Real SQS: one that it never gave, one of a message that is not in flight, and one that has expired. In SDKs the last
// is no modelled error (aws-sdk-java issue 1628); with clamped times no other parameter can be the invalid one.
const OUTDATED = new Set([
  'ReceiptHandleIsInvalid',
  'MessageNotInflight',
  'InvalidParameterValue',
  'InvalidParameterValueException',
]);

/**
 * The queue port on standard SQS queues with a redrive policy. Times are whole seconds, rounded up; delays of more than
 * 15 minutes end after 15, so that who receives a message must look at the time again, as the engine does. Fair between
 * groups in the way of SQS: a group with many messages in flight does not hold up the others for long.
 */
export class SqsQueue implements Queue {
  readonly #options: SqsQueueOptions;
  readonly #client: SQSClient;
  #deadLetters: string | undefined;

  constructor(options: SqsQueueOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#deadLetters = options.deadLetters;
  }

  /** After a fault some of the messages may have been sent. */
  async send(messages: readonly Message[]): Promise<void> {
    const hop = this.#options.hop?.();
    const encoded = messages.map((message) => ({ group: message.group, entry: encodeMessage(message, hop) }));
    const groups = [...new Set(messages.map(({ group }) => group))];
    const urls = new Map(
      await Promise.all(groups.map(async (group) => [group, await this.#options.urlOf(group)] as const)),
    );
    const queues = new Map<string, Outgoing[]>();
    for (const { group, entry } of encoded) {
      const url = urls.get(group) ?? '';
      const entries = queues.get(url);
      if (entries) entries.push(entry);
      else queues.set(url, [entry]);
    }
    for (const [url, entries] of queues) await sendAll(this.#client, url, entries);
  }

  /** At most ten. One that was on its way when `signal` aborts is seen again after its visibility. */
  async receive({ max, visibilityMs, waitMs, signal }: ReceiveRequest): Promise<readonly Delivery[]> {
    const end = Date.now() + waitMs;
    while (!signal.aborted) {
      const messages = await this.#receive(this.#own(), signal, {
        MaxNumberOfMessages: Math.min(max, LARGEST_RECEIVE),
        VisibilityTimeout: seconds(Math.max(visibilityMs, 1)),
        WaitTimeSeconds: Math.min(Math.max(Math.floor((end - Date.now()) / 1000), 0), LONGEST_POLL_S),
      });
      if (messages.length > 0 || end - Date.now() < 1000) return messages.map(decodeDelivery);
    }
    return [];
  }

  async extend(receipt: string, visibilityMs: number): Promise<void> {
    await this.#changeVisibility('extending a message', receipt, visibilityMs);
  }

  async acknowledge(receipt: string): Promise<void> {
    const { url, handle } = await this.#find(receipt);
    const command = new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: handle });
    await unlessOutdated(`acknowledging a message of queue ${nameOf(url)}`, () => this.#client.send(command));
  }

  async release(receipt: string, delayMs: number): Promise<void> {
    await this.#changeVisibility('releasing a message', receipt, delayMs);
  }

  /** The oldest of those that SQS gives; looking at a dead letter counts as a receive of it. */
  async deadLetters(limit: number): Promise<readonly Delivery[]> {
    const url = await this.#deadLetterUrl();
    const found = new Map<string, SqsMessage>();
    try {
      while (found.size < limit) {
        const messages = await this.#receive(url, undefined, {
          MaxNumberOfMessages: Math.min(limit - found.size, LARGEST_RECEIVE),
          VisibilityTimeout: DEAD_LETTER_VISIBILITY_S,
          WaitTimeSeconds: 1, // without a wait SQS asks only some of its servers
        });
        const known = found.size;
        for (const message of messages) found.set(message.MessageId ?? '', message);
        if (found.size === known) break;
      }
    } finally {
      await this.#giveBack(url, [...found.values()]);
    }
    const sentAt = (message: SqsMessage) => Number(message.Attributes?.SentTimestamp ?? 0);
    const messages = [...found.values()].sort((left, right) => sentAt(left) - sentAt(right));
    return messages.map(decodeDelivery).map((delivery) => {
      return { ...delivery, receipt: `${DEAD}${delivery.receipt}`, attempts: Math.max(delivery.attempts - 1, 0) };
    });
  }

  async #receive(
    url: string,
    signal: AbortSignal | undefined,
    how: Omit<ReceiveMessageCommandInput, 'QueueUrl'>,
  ): Promise<SqsMessage[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
      ...how,
    });
    try {
      const answer = await this.#client.send(command, signal && { abortSignal: signal });
      return answer.Messages ?? [];
    } catch (error) {
      if (signal?.aborted) return [];
      throw awsFault(error, `receiving messages of queue ${nameOf(url)}`);
    }
  }

  async #changeVisibility(doing: string, receipt: string, ms: number): Promise<void> {
    const { url, handle } = await this.#find(receipt);
    const command = new ChangeMessageVisibilityCommand({
      QueueUrl: url,
      ReceiptHandle: handle,
      VisibilityTimeout: seconds(ms),
    });
    await unlessOutdated(`${doing} of queue ${nameOf(url)}`, () => this.#client.send(command));
  }

  // What could not be given back is seen again after its visibility.
  async #giveBack(url: string, messages: readonly SqsMessage[]): Promise<void> {
    for (let start = 0; start < messages.length; start += LARGEST_RECEIVE) {
      const entries = messages.slice(start, start + LARGEST_RECEIVE).map(({ ReceiptHandle }, index) => {
        return { Id: String(index), ReceiptHandle, VisibilityTimeout: 0 };
      });
      const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries: entries });
      await unlessOutdated(`giving back dead letters of queue ${nameOf(url)}`, () => this.#client.send(command));
    }
  }

  async #find(receipt: string): Promise<{ readonly url: string; readonly handle: string }> {
    if (!receipt.startsWith(DEAD)) return { url: this.#own(), handle: receipt };
    return { url: await this.#deadLetterUrl(), handle: receipt.slice(DEAD.length) };
  }

  async #deadLetterUrl(): Promise<string> {
    if (this.#deadLetters !== undefined) return this.#deadLetters;
    const url = this.#own();
    const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['RedrivePolicy'] });
    const { Attributes } = await this.#client.send(command).catch((error: unknown) => {
      throw awsFault(error, `reading the attributes of queue ${nameOf(url)}`);
    });
    const { deadLetterTargetArn: arn } = JSON.parse(Attributes?.RedrivePolicy ?? '{}') as RedrivePolicy;
    this.#deadLetters = besideUrl(url, nameInArn(arn ?? missing('the dead-letter queue')));
    return this.#deadLetters;
  }

  #own(): string {
    return this.#options.own ?? missing('the queue to receive from');
  }
}

async function unlessOutdated(doing: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { name, Code } = error as { readonly name?: unknown; readonly Code?: unknown };
    if (!OUTDATED.has(String(name)) && !OUTDATED.has(String(Code))) throw awsFault(error, doing);
  }
}

function seconds(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms / 1000), 0), LONGEST_VISIBILITY_S);
}

function missing(what: string): never {
  throw new Fault('bug', 'queue_not_given', `using a queue: ${what} is not known to this process`);
}
