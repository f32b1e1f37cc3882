import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SqsQueue } from '../../../lib/adapters/aws/queue';

// The emulator answers each outdated receipt in the same way. The forms below are those of AWS's JSON protocol.
describe('a receipt that SQS does not take', () => {
  let answer = { type: '', query: '' };
  let server: Server;
  let client: SQSClient;
  let queue: SqsQueue;
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': `${answer.query};Sender` };
      response.writeHead(400, headers).end(JSON.stringify({ __type: answer.type, message: 'no' }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    client = new SQSClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
    const own = `${endpoint}/000000000000/q`;
    queue = new SqsQueue({ client, own, deadLetters: `${own}-dead`, urlOf: async () => own });
  });
  afterAll(() => {
    client?.destroy();
    server?.close();
  });

  const calls = [
    () => queue.acknowledge('receipt'),
    () => queue.acknowledge('dead:receipt'),
    () => queue.extend('receipt', 1000),
    () => queue.release('receipt', 0),
  ];

  it.each([
    ['com.amazonaws.sqs#ReceiptHandleIsInvalid', 'ReceiptHandleIsInvalid'],
    ['com.amazonaws.sqs#MessageNotInflight', 'AWS.SimpleQueueService.MessageNotInflight'],
    ['com.amazon.coral.service#InvalidParameterValueException', 'InvalidParameterValue'],
    ['com.amazonaws.sqs#InvalidParameterValue', 'InvalidParameterValue'],
  ])('is outdated: %s', async (type, query) => {
    answer = { type, query };
    for (const call of calls) await expect(call()).resolves.toBeUndefined();
  });

  it.each([
    ['com.amazon.coral.service#AccessDeniedException', 'AccessDenied', 'permission_denied'],
    ['com.amazonaws.sqs#QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue', 'resource_missing'],
  ])('is not outdated: %s', async (type, query, code) => {
    answer = { type, query };
    for (const call of calls) await expect(call()).rejects.toMatchObject({ kind: 'config', code });
  });
});
