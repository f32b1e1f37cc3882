import type { BatchResultErrorEntry, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { batchesOf, type Outgoing, sendAll } from '../../../lib/adapters/aws/queue-send';

type Fail = (body: string, request: number) => Omit<BatchResultErrorEntry, 'Id'> | undefined;

const message = (body: string): Outgoing => ({ MessageBody: body, MessageGroupId: 'g' });
const TRY_AGAIN = { Code: 'InternalError', Message: 'please try again', SenderFault: false };

/** Answers as SQS does: for each message of a batch. */
function answering(fail: Fail): {
  readonly client: SQSClient;
  readonly requests: string[][];
  readonly stored: string[];
} {
  const requests: string[][] = [];
  const stored: string[] = [];
  const send = async ({ input }: SendMessageBatchCommand) => {
    const entries = input.Entries ?? [];
    requests.push(entries.map(({ MessageBody }) => MessageBody ?? ''));
    const failed: BatchResultErrorEntry[] = [];
    for (const { Id, MessageBody = '' } of entries) {
      const failure = fail(MessageBody, requests.length);
      if (failure) failed.push({ Id, ...failure });
      else stored.push(MessageBody);
    }
    return failed.length > 0 ? { Failed: failed } : {};
  };
  return { client: { send } as unknown as SQSClient, requests, stored };
}

describe('sending messages', () => {
  it('sends again only what was not taken', async () => {
    const { client, requests, stored } = answering((body, request) =>
      body === 'b' && request < 3 ? TRY_AGAIN : undefined,
    );
    await sendAll(client, 'https://sqs/1/q', ['a', 'b', 'c'].map(message));
    expect(requests).toEqual([['a', 'b', 'c'], ['b'], ['b']]);
    expect(stored).toEqual(['a', 'c', 'b']);
  });

  it('gives up a message that is never taken, and says so', async () => {
    const { client, requests } = answering((body) => (body === 'b' ? TRY_AGAIN : undefined));
    await expect(sendAll(client, 'https://sqs/1/q', ['a', 'b'].map(message))).rejects.toMatchObject({
      kind: 'transient',
      message: expect.stringMatching(/^sending messages to queue q: .*please try again/),
    });
    expect(requests).toHaveLength(5);
  });

  it.each([
    ['InvalidMessageContents', 'bug'],
    ['AccessDenied', 'config'],
  ])('does not repeat what is refused for good: %s', async (Code, kind) => {
    const refused = { Code, Message: 'no', SenderFault: true };
    const { client, requests } = answering((body) => (body === 'b' ? refused : TRY_AGAIN));
    await expect(sendAll(client, 'https://sqs/1/q', ['a', 'b'].map(message))).rejects.toMatchObject({ kind });
    expect(requests).toHaveLength(1);
  });

  it('sends nothing for no messages', async () => {
    const { client, requests } = answering(() => undefined);
    await sendAll(client, 'https://sqs/1/q', []);
    expect(requests).toEqual([]);
  });

  it('fills batches up to ten messages and 256 KiB', () => {
    const sizes = (bodies: readonly string[]) => batchesOf(bodies.map(message)).map((batch) => batch.length);
    const kib = (count: number) => 'é'.repeat(count * 512);
    expect(sizes(Array.from({ length: 25 }, () => 'x'))).toEqual([10, 10, 5]);
    expect(sizes([kib(128), kib(128), kib(1)])).toEqual([2, 1]);
    expect(sizes([kib(1), kib(300), kib(255), kib(1)])).toEqual([1, 1, 2]);
  });
});
