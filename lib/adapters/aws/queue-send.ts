import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BatchResultErrorEntry,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { LARGEST_MESSAGE } from '../../core/item-limits';
import { awsFault } from './faults';

/** One message to send. */
export type Outgoing = Omit<SendMessageBatchRequestEntry, 'Id'> & { readonly MessageBody: string };

const LARGEST_BATCH = 10;
const CONCURRENCY = 8;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 100;

/** Sends all of them in batches. @throws Fault; some may have been sent then. */
export async function sendAll(client: SQSClient, url: string, messages: readonly Outgoing[]): Promise<void> {
  const batches = batchesOf(messages).values();
  // They share one iterator, so that each takes the next batch when it has sent its own.
  const sender = async () => {
    for (const batch of batches) await sendBatch(client, url, batch);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, sender));
}

/** As few batches as fit: at most ten messages and 256 KiB each. A larger message goes alone. */
export function batchesOf(messages: readonly Outgoing[]): Outgoing[][] {
  const batches: Outgoing[][] = [];
  let current: Outgoing[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(message.MessageBody);
    if (current.length === LARGEST_BATCH || (current.length > 0 && bytes + size > LARGEST_MESSAGE)) {
      batches.push(current);
      current = [];
      bytes = 0;
    }
    current.push(message);
    bytes += size;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/** The last part of a queue's URL. */
export function nameOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

// SQS answers for each message of a batch; the SDK repeats only requests that failed as a whole.
async function sendBatch(client: SQSClient, url: string, batch: readonly Outgoing[]): Promise<void> {
  const doing = `sending messages to queue ${nameOf(url)}`;
  let entries: SendMessageBatchRequestEntry[] = batch.map((message, index) => ({ Id: String(index), ...message }));
  for (let attempt = 1; entries.length > 0; attempt++) {
    const failed = await sendOnce(client, url, entries, doing);
    const [worst] = failed.filter(({ SenderFault }) => SenderFault).concat(failed);
    if (worst !== undefined && (worst.SenderFault || attempt >= ATTEMPTS)) throw awsFault(errorOf(worst), doing);
    const again = new Set(failed.map(({ Id }) => Id));
    entries = entries.filter(({ Id }) => again.has(Id));
    if (entries.length > 0) await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
  }
}

async function sendOnce(
  client: SQSClient,
  url: string,
  entries: SendMessageBatchRequestEntry[],
  doing: string,
): Promise<readonly BatchResultErrorEntry[]> {
  try {
    const answer = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: entries }));
    return answer.Failed ?? [];
  } catch (error) {
    throw awsFault(error, doing);
  }
}

// In the form of the SDK's own errors, so that it is classified as one.
function errorOf({ Code, Message, SenderFault }: BatchResultErrorEntry): Error {
  const error = new Error(Message ?? '');
  return Object.assign(error, { name: Code, $metadata: { httpStatusCode: SenderFault ? 400 : 500 } });
}
