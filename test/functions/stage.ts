import { randomUUID } from 'node:crypto';
import { CreateScheduleGroupCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEventV2, Context, SQSEvent, SQSRecord } from 'aws-lambda';
import type { FunctionEnvironment } from '../../lib/infra/env';
import { clientOf, createStateTable } from '../adapters/aws/state-table';
import type { Ministack } from '../servers/ministack';

/** What a stage consists of, made by hand in the emulator: the functions' environment and the queue of one connector. */
export interface Stage {
  readonly environment: FunctionEnvironment;
  readonly queueUrl: string;
  /** Takes messages as Lambda's poller would; what is not deleted comes back by itself. */
  receive(max: number): Promise<SQSRecord[]>;
  putSecret(name: string, value: string): Promise<void>;
  /** Puts a message where those go that were received too often. */
  bury(body: unknown): Promise<void>;
}

/** Makes a stage whose destination is `destinationUrl`. The process' own environment points to the emulator from now on. */
export async function makeStage(server: Ministack, destinationUrl: string): Promise<Stage> {
  Object.assign(process.env, server.environment);
  const own = { endpoint: server.url, region: server.region, credentials: server.credentials };
  const [sqs, secrets, scheduler] = [new SQSClient(own), new SecretsManagerClient(own), new SchedulerClient(own)];
  const name = `stage-${randomUUID().slice(0, 8)}`;
  const queue = async (suffix: string, attributes: Record<string, string> = {}) => {
    const request = { QueueName: `${name}-${suffix}`, Attributes: attributes };
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand(request));
    const asked = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    return { url: QueueUrl, arn: asked.Attributes?.QueueArn ?? '' };
  };
  const dead = await queue('dead');
  const redrive = { deadLetterTargetArn: dead.arn, maxReceiveCount: 5 };
  const work = await queue('work', { RedrivePolicy: JSON.stringify(redrive), VisibilityTimeout: '1800' });
  await scheduler.send(new CreateScheduleGroupCommand({ Name: name }));
  const putSecret = async (id: string, value: string) => {
    await secrets.send(new CreateSecretCommand({ Name: id, SecretString: value }));
  };
  await putSecret(`${name}/destination`, destinationUrl);
  await putSecret(`${name}/quarantine`, randomUUID());
  const environment: FunctionEnvironment = {
    EXPLORERIO_STAGE: name,
    EXPLORERIO_TABLE: await createStateTable(clientOf(server)),
    EXPLORERIO_QUEUES: JSON.stringify({ postgresql: work.url }),
    EXPLORERIO_SECRETS_PREFIX: `${name}/secret/`,
    EXPLORERIO_DESTINATION_SECRET: `${name}/destination`,
    EXPLORERIO_QUARANTINE_SECRET: `${name}/quarantine`,
    EXPLORERIO_SCHEDULE_GROUP: name,
    EXPLORERIO_SCHEDULE_ROLE: 'arn:aws:iam::000000000000:role/schedules',
    EXPLORERIO_SCHEDULE_DEAD_LETTERS: dead.arn,
    EXPLORERIO_WORK_SECONDS: '0.05',
  };
  return {
    environment,
    queueUrl: work.url,
    async receive(max) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: work.url,
          MaxNumberOfMessages: max,
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        }),
      );
      return Messages.map(
        ({ MessageId = '', ReceiptHandle = '', Body = '', Attributes }) =>
          ({
            messageId: MessageId,
            receiptHandle: ReceiptHandle,
            body: Body,
            attributes: { ApproximateReceiveCount: Attributes?.ApproximateReceiveCount ?? '1' },
          }) as SQSRecord,
      );
    },
    async bury(body) {
      await sqs.send(new SendMessageCommand({ QueueUrl: dead.url, MessageBody: JSON.stringify(body) }));
    },
    putSecret: (secret, value) => putSecret(`${name}/secret/${secret}`, value),
  };
}

/** What Lambda tells a function about itself. */
export const CONTEXT = { getRemainingTimeInMillis: () => 300_000 } as Context;

/** An event of a queue with these records. */
export const sqsEvent = (records: readonly SQSRecord[]): SQSEvent => ({ Records: [...records] });

/** A request as API Gateway passes it on. */
export function httpEvent(method: string, path: string, body?: unknown): APIGatewayProxyEventV2 {
  const host = 'abc.execute-api.us-east-1.amazonaws.com';
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { host, ...(body !== undefined && { 'content-type': 'application/json' }) },
    requestContext: {
      accountId: '000000000000',
      apiId: 'abc',
      domainName: host,
      domainPrefix: 'abc',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'one',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    isBase64Encoded: false,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
}
