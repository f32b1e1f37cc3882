import { randomUUID } from 'node:crypto';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { SnsNotifier } from '../../../lib/adapters/aws/notifier';
import { messageOf } from '../../../lib/core/fault';
import type { Notification } from '../../../lib/core/notification';
import { type Delivered, describeNotifier, type Trouble } from '../../contracts/notifier';
import { startBreakableHttp } from '../../servers/breakable-http';
import { type Ministack, ministack } from '../../servers/ministack';
import { describeWithServer } from '../../servers/require';

/** What SNS puts around a message for a queue. */
interface Envelope {
  readonly Subject: string;
  readonly Message: string;
  readonly MessageAttributes: { readonly [name: string]: { readonly Value: string } };
}

describeWithServer('SNS', ministack(), (server) => {
  describeNotifier('SNS', async () => {
    const { url } = server();
    const { topicArn, take, close } = await topicWithQueue(server());
    // Between the client and the emulator, which has no troubles of its own.
    const gate = await startBreakableHttp(async ({ method, path, headers, body }, response) => {
      const { host: _host, connection: _connection, 'content-length': _length, ...kept } = headers;
      const answer = await fetch(`${url}${path}`, { method, headers: kept as Record<string, string>, body });
      const text = await answer.text();
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text);
    });
    const client = clientOf(server(), gate.url);
    let isDown = false;
    return {
      notifier: new SnsNotifier({ client, topicArn, timeoutMs: 3000 }),
      async receive(): Promise<Delivered> {
        const { Subject, Message, MessageAttributes } = await take();
        const sent = JSON.parse(Message) as Notification;
        expect(Subject.length).toBeLessThan(100);
        const published = new URLSearchParams(gate.requests.at(-1)?.body.toString('utf8'));
        expect(Buffer.byteLength(published.get('Message') ?? '')).toBeLessThan(255 * 1024);
        expect(MessageAttributes.severity?.Value).toBe(sent.severity);
        expect(MessageAttributes.integration?.Value).toBe(sent.integration);
        // The text for people is looked at below: a queue gets the one for programs.
        const text = [sent.text, ...Object.values(sent).map(String), ...Object.entries(sent.facts).flat()].join('\n');
        return { subject: Subject, text, headers: Object.keys(MessageAttributes) };
      },
      async trouble(kind: Trouble | undefined) {
        if (isDown) await gate.up();
        isDown = kind === 'down';
        if (isDown) await gate.down();
        gate.answer(answerOf(kind));
      },
      secrets: [server().credentials.secretAccessKey.repeat(3)],
      saysHowLong: false,
      asciiSubjects: true,
      async close() {
        client.destroy();
        await gate.down();
        await close();
      },
    };
  });

  it('gives people a text, and programs JSON', async () => {
    const bodies: string[] = [];
    const gate = await startBreakableHttp(({ body }, response) => {
      bodies.push(body.toString('utf8'));
      response.writeHead(200, { 'content-type': 'text/xml' }).end(PUBLISHED);
    });
    const client = clientOf(server(), gate.url);
    const notification: Notification = {
      id: 'one',
      kind: 'run_failed',
      severity: 'warning',
      title: 'Die Größe',
      text: 'zu groß',
      at: '2026-11-25T02:00:00.000Z',
      facts: { rows: 3 },
    };
    await new SnsNotifier({ client, topicArn: 'arn:aws:sns:us-east-1:000000000000:t' }).send(notification);
    client.destroy();
    await gate.down();
    const sent = new URLSearchParams(bodies[0]);
    expect(sent.get('Subject')).toBe('[warning] Die Gro?e');
    expect(sent.get('MessageStructure')).toBe('json');
    const message = JSON.parse(sent.get('Message') ?? '{}');
    expect(message.default).toBe(
      '[warning] Die Größe\n\nzu groß\n\nkind: run_failed\nat: 2026-11-25T02:00:00.000Z\nrows: 3\nid: one',
    );
    for (const program of ['sqs', 'lambda']) expect(JSON.parse(message[program])).toEqual(notification);
  });

  it('says that a topic is not there', async () => {
    const client = clientOf(server(), server().url);
    const topicArn = `arn:aws:sns:us-east-1:000000000000:${randomUUID()}`;
    const sending = new SnsNotifier({ client, topicArn }).send({
      id: 'one',
      kind: 'test',
      severity: 'info',
      title: 'title',
      text: '',
      at: '',
      facts: {},
    });
    await expect(sending).rejects.toMatchObject({ kind: 'config', code: 'resource_missing', hint: expect.any(String) });
    client.destroy();
  });
});

const PUBLISHED =
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>';

function clientOf({ region, credentials }: Ministack, endpoint: string): SNSClient {
  const client = new SNSClient({ endpoint, region, credentials, maxAttempts: 1 });
  const { requestHandler } = client.config;
  const handle = requestHandler.handle.bind(requestHandler);
  // An error of the network is of another realm than the SDK in a test, which would replace it by one that says less.
  requestHandler.handle = async (...request) => {
    try {
      return await handle(...request);
    } catch (error) {
      const { name, code } = error as NodeJS.ErrnoException;
      throw Object.assign(new Error(messageOf(error)), { name, code });
    }
  };
  return client;
}

function answerOf(kind: Trouble | undefined) {
  const error = (status: number, code: string) => ({
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>as it is</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  });
  if (kind === 'slow') return 'never';
  if (kind === 'throttled') return error(400, 'Throttling');
  if (kind === 'failing') return error(500, 'InternalError');
  return kind === 'forbidden' ? error(403, 'AuthorizationError') : undefined;
}

async function topicWithQueue(server: Ministack) {
  const own = { endpoint: server.url, region: server.region, credentials: server.credentials };
  const [sns, sqs] = [new SNSClient(own), new SQSClient(own)];
  const name = `notifier-${randomUUID().slice(0, 8)}`;
  const { TopicArn: topicArn = '' } = await sns.send(new CreateTopicCommand({ Name: name }));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  await sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: Attributes?.QueueArn }));
  return {
    topicArn,
    async take(): Promise<Envelope> {
      const { Messages: [message] = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
      if (message === undefined) throw new Error('nothing was published');
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
      return JSON.parse(message.Body ?? '{}') as Envelope;
    },
    close: async () => {
      sns.destroy();
      sqs.destroy();
    },
  };
}
