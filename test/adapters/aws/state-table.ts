import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { dynamoClient } from '../../../lib/adapters/aws/dynamo-client';
import { TABLE_KEY } from '../../../lib/adapters/aws/table';
import { messageOf } from '../../../lib/core/fault';

/** What an emulator of DynamoDB offers. */
export interface Endpoint {
  readonly url: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A client of an emulator. */
export function clientOf({ url, region, credentials }: Endpoint): DynamoDBClient {
  const client = dynamoClient({ endpoint: url, region, credentials });
  keepCodes(client);
  return client;
}

// Under Jest the errors of node:net are of another realm. The SDK sees no `instanceof Error`, and wraps them without code.
function keepCodes(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (error instanceof Error) throw error;
        const { name, code } = error as { readonly name?: string; readonly code?: string };
        throw Object.assign(new Error(messageOf(error)), { name, code });
      }
    },
    { step: 'deserialize', name: 'keepCodes', priority: 'high' },
  );
}

let tables = 0;

/** Makes a state table of its own; gives its name. */
export async function createStateTable(client: DynamoDBClient): Promise<string> {
  const name = `state-${process.pid}-${++tables}`;
  await client.send(
    new CreateTableCommand({
      TableName: name,
      KeySchema: [...TABLE_KEY.KeySchema],
      AttributeDefinitions: [...TABLE_KEY.AttributeDefinitions],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 1 }, { TableName: name });
  return name;
}

/** Calls `act` with the number of every attempt, from 1 on, before it is sent; what it throws is what the attempt ends with. */
export function beforeAttempts(client: DynamoDBClient, act: (attempt: number) => void): void {
  let attempt = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      act(++attempt);
      return next(args);
    },
    { step: 'deserialize', name: 'before' },
  );
}

/** As {@link beforeAttempts}, once the answer has come: what `act` throws takes its place. */
export function afterAttempts(client: DynamoDBClient, act: (attempt: number) => void): void {
  let attempt = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      act(++attempt);
      return answer;
    },
    { step: 'deserialize', name: 'after' },
  );
}
