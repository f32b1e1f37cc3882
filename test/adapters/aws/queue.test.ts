import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { SqsQueue, type SqsQueueOptions } from '../../../lib/adapters/aws/queue';
import type { Json } from '../../../lib/core/json';
import { describeQueue } from '../../contracts/queue';
import { ministack } from '../../servers/ministack';
import { describeWithServer } from '../../servers/require';

const MAX_RECEIVES = 3;
const MARGIN_MS = 30;

interface Queues {
  readonly own: string;
  readonly deadLetters: string;
}

async function createQueues(client: SQSClient): Promise<Queues> {
  const create = async (name: string, attributes: Record<string, string>) => {
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
    return QueueUrl ?? '';
  };
  const name = `q-${randomUUID()}`;
  const deadLetters = await create(`${name}-dead`, {});
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
  );
  const redrive = { deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: MAX_RECEIVES };
  return { own: await create(name, { RedrivePolicy: JSON.stringify(redrive) }), deadLetters };
}

describeWithServer('SQS', ministack(), (server) => {
  let client: SQSClient;
  beforeAll(() => {
    const { url, region, credentials } = server();
    client = new SQSClient({ endpoint: url, region, credentials });
  });
  afterAll(() => client?.destroy());

  const open = (queues: Queues, options: Partial<SqsQueueOptions> = {}) =>
    new SqsQueue({ client, urlOf: async () => queues.own, ...queues, ...options });
  const receive = (queue: SqsQueue, waitMs = 0) =>
    queue.receive({ max: 10, visibilityMs: 60_000, waitMs, signal: new AbortController().signal });

  describeQueue(
    'SQS',
    async () => {
      const queues = await createQueues(client);
      return {
        queue: open(queues),
        maxReceives: MAX_RECEIVES,
        elapse: (ms) => sleep(ms + MARGIN_MS),
        close: async () => {
          for (const url of Object.values(queues)) await client.send(new DeleteQueueCommand({ QueueUrl: url }));
        },
      };
    },
    { fair: 'roughly' },
  );

  it('puts messages of a group into its connector’s queue, marked with the group', async () => {
    const [first, second] = [await createQueues(client), await createQueues(client)];
    const asked: string[] = [];
    const urlOf = async (group: string) => {
      asked.push(group);
      return group === 'a' ? first.own : second.own;
    };
    await open(first, { urlOf }).send(['a', 'b', 'a', 'c'].map((group) => ({ group, body: group })));
    expect(asked).toEqual(['a', 'b', 'c']);
    const raw = async (url: string) => {
      const command = new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['MessageGroupId'],
      });
      const { Messages = [] } = await client.send(command);
      return Messages.map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]);
    };
    expect(await raw(first.own)).toEqual([
      ['"a"', 'a'],
      ['"a"', 'a'],
    ]);
    expect(await raw(second.own)).toEqual([
      ['"b"', 'b'],
      ['"c"', 'c'],
    ]);
  });

  it('keeps every character, also those that SQS refuses', async () => {
    const queue = open(await createQueues(client));
    const odd = String.fromCharCode(0, 1, 8, 9, 10, 11, 13, 0x1f, 0x7f, 0xdfff, 0xd800, 0xfffd, 0xfffe, 0xffff);
    const body = { [odd]: `${odd}\u{1f680}\u{1fffe}\\ufffe` };
    await queue.send([{ group: 'g', body }]);
    expect(await receive(queue)).toMatchObject([{ body }]);
  });

  it('sends as many and as large messages as there are', async () => {
    const queue = open(await createQueues(client));
    const largest = 'x'.repeat(256 * 1024 - 2);
    const bodies: Json[] = [
      ...Array.from({ length: 25 }, (_, index) => index),
      largest,
      '\uffff'.repeat(80_000),
      largest,
    ];
    await queue.send(bodies.map((body) => ({ group: 'g', body })));
    const received: Json[] = [];
    for (let batch = await receive(queue); batch.length > 0; batch = await receive(queue)) {
      received.push(...batch.map(({ body }) => body));
    }
    expect(new Set(received)).toEqual(new Set(bodies));
    expect(received).toHaveLength(bodies.length);
  });

  it('refuses a message that is too large before it sends another', async () => {
    const queue = open(await createQueues(client));
    const messages = ['ok', 'x'.repeat(256 * 1024)].map((body) => ({ group: 'g', body }));
    await expect(queue.send(messages)).rejects.toMatchObject({ kind: 'bug', code: 'too_large' });
    expect(await receive(queue)).toEqual([]);
  });

  it('takes a delay of more than 15 minutes as 15', async () => {
    const queues = await createQueues(client);
    await open(queues).send([{ group: 'g', body: 'later', delayMs: 3_600_000 }]);
    expect(await receive(open(queues))).toEqual([]);
  });

  it('counts hops of messages that go on with a run, and of no other', async () => {
    const queue = open(await createQueues(client), { hop: () => 4 });
    await queue.send([{ run: 'r' }, { schedule: 'i' }, 'text', [1], null].map((body) => ({ group: 'g', body })));
    expect((await receive(queue)).map(({ body }) => body)).toEqual([
      { run: 'r', hop: 5 },
      { schedule: 'i' },
      'text',
      [1],
      null,
    ]);
  });

  it('gives a message that is no JSON as text', async () => {
    const queues = await createQueues(client);
    await client.send(new SendMessageCommand({ QueueUrl: queues.own, MessageBody: '{broken' }));
    expect(await receive(open(queues))).toMatchObject([{ body: '{broken', attempts: 1 }]);
  });

  it('lists more dead letters than fit an answer, oldest first, and removes an acknowledged one', async () => {
    const queues = await createQueues(client);
    const queue = open(queues);
    for (let body = 0; body < 12; body++) {
      await client.send(new SendMessageCommand({ QueueUrl: queues.deadLetters, MessageBody: String(body) }));
    }
    const dead = await queue.deadLetters(100);
    expect(dead.map(({ body }) => body)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    for (const { receipt } of dead.slice(0, 11)) await queue.acknowledge(receipt);
    expect((await queue.deadLetters(100)).map(({ body }) => body)).toEqual([11]);
  });

  it('finds its dead-letter queue by itself', async () => {
    const { own, deadLetters } = await createQueues(client);
    await client.send(new SendMessageCommand({ QueueUrl: deadLetters, MessageBody: '7' }));
    const queue = new SqsQueue({ client, urlOf: async () => own, own });
    const [letter] = await queue.deadLetters(10);
    expect(letter?.body).toBe(7);
    await queue.acknowledge(letter?.receipt ?? '');
    expect(await queue.deadLetters(10)).toEqual([]);
    const nowhere = new SqsQueue({ client, urlOf: async () => '', own: `${own}-gone` });
    await expect(nowhere.deadLetters(1)).rejects.toMatchObject({ kind: 'config', code: 'resource_missing' });
  });

  it('says which queue is missing, and what to do', async () => {
    const url = `${server().url}/000000000000/nowhere`;
    const queue = open({ own: url, deadLetters: url });
    const fault = { kind: 'config', code: 'resource_missing', message: expect.stringContaining('queue nowhere') };
    await expect(queue.send([{ group: 'g', body: 1 }])).rejects.toMatchObject(fault);
    await expect(receive(queue)).rejects.toMatchObject(fault);
    await expect(queue.deadLetters(1)).rejects.toMatchObject(fault);
    await expect(queue.acknowledge('r')).rejects.toMatchObject(fault);
    await expect(queue.extend('r', 1000)).rejects.toMatchObject(fault);
  });

  it('stops waiting within a long poll', async () => {
    const queue = open(await createQueues(client));
    const controller = new AbortController();
    const waiting = queue.receive({ max: 1, visibilityMs: 1000, waitMs: 60_000, signal: controller.signal });
    await sleep(200);
    controller.abort();
    expect(await waiting).toEqual([]);
  });
});
