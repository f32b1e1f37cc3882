import { Agent } from 'node:http';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import type { RunningSource, SourceFixture } from '../contracts/source-reading';
import { type Dynalite, dynalite, startDynalite } from '../servers/dynalite';
import { freePort } from '../servers/port';

export type Item = Record<string, AttributeValue>;

const TABLE = 'contract_items';
const LARGE = 'contract_large';
const LARGE_ITEM = 300 * 1024;
const BATCH = 25;
const SEEDED: StreamSchema = {
  stream: TABLE,
  key: ['id'],
  columns: [
    { name: 'id', type: 'decimal', nullable: false, native: 'dynamodb/N' },
    { name: 'amount', type: 'decimal', nullable: true, native: 'dynamodb/N' },
    { name: 'name', type: 'text', nullable: true, native: 'dynamodb/S' },
    { name: 'note', type: 'text', nullable: true, native: 'dynamodb/S' },
    { name: 'tags', type: 'json', nullable: true, native: 'dynamodb/json' },
    { name: '_explorerio_rest', type: 'json', nullable: true, native: 'dynamodb/rest' },
  ],
};
const NO_LOGIN = 'dynalite accepts every key; see dynamodb-faults.test.ts, where the answers are those of AWS';

export const fixtures: readonly SourceFixture[] = [
  {
    name: dynalite().name,
    kind: 'emulator',
    unavailable: dynalite().unavailable,
    start: async () => runningSource(await startDynalite()),
    waivers: { 'a wrong password is a fault of the configuration, with a hint': NO_LOGIN },
  },
];

/** The configuration of a source that reads an emulator. */
export function configOf({ url, region, credentials }: Pick<Dynalite, 'url' | 'region' | 'credentials'>) {
  return {
    connection: {
      region,
      endpoint: url,
      access_key_id: credentials.accessKeyId,
      secret_access_key: credentials.secretAccessKey,
    },
  };
}

/** What tests fill tables with. It keeps no connection, so that those of a source can be counted. */
export class Filler {
  readonly client: DynamoDBClient;

  constructor({ url, region, credentials }: Dynalite) {
    const httpAgent = new Agent({ keepAlive: false });
    this.client = new DynamoDBClient({ region, endpoint: url, credentials, requestHandler: { httpAgent } });
  }

  async table(name: string, key: readonly (readonly [name: string, type: 'S' | 'N' | 'B'])[]): Promise<void> {
    await this.drop(name);
    const KeySchema = key.map(
      ([AttributeName], index): KeySchemaElement => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' }),
    );
    const AttributeDefinitions = key.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));
    const BillingMode = 'PAY_PER_REQUEST';
    await this.client.send(new CreateTableCommand({ TableName: name, KeySchema, AttributeDefinitions, BillingMode }));
    await new Promise((resolve) => setTimeout(resolve, 10)); // it is made a moment after the answer
  }

  async drop(name: string): Promise<void> {
    try {
      await this.client.send(new DeleteTableCommand({ TableName: name }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    } catch (error) {
      if ((error as Error).name !== 'ResourceNotFoundException') throw error; // there was none
    }
  }

  async put(table: string, items: readonly Item[]): Promise<void> {
    for (let at = 0; at < items.length; at += BATCH) {
      const requests = items.slice(at, at + BATCH).map((Item) => ({ PutRequest: { Item } }));
      await this.client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }));
    }
  }
}

const DIGITS = '12345678901234567890.123456789012345678';

function item(id: number, updates = 0): Item {
  return {
    id: { N: String(id) },
    name: { S: `name "${id}"\t\\ \n é 🙂` },
    amount: { N: id % 5 === 0 ? DIGITS : String(id * 1.25 + updates) },
    tags: { SS: ['b', 'a'] },
    ...(id % 3 === 0 && { note: { S: 'note' } }),
  };
}

function row(id: number, updates = 0): Row {
  const { name, amount, note } = item(id, updates);
  return [String(id), amount?.N ?? null, name?.S ?? null, note?.S ?? null, '["a","b"]', null];
}

async function runningSource(server: Dynalite): Promise<RunningSource> {
  const filler = new Filler(server);
  const config = configOf(server);
  const write = async (ids: readonly number[], updates = 0): Promise<Row[]> => {
    for (const id of ids) {
      await filler.client.send(new PutItemCommand({ TableName: TABLE, Item: item(id, updates) }));
    }
    return ids.map((id) => row(id, updates));
  };
  return {
    config,
    required: ['connection', 'connection.region'],
    secrets: ['not-the-secret'],
    expected: SEEDED,
    cursor: '',
    wrongPassword: () => ({ connection: { ...config.connection, secret_access_key: 'not-the-secret' } }),
    closedPort: async () => ({
      connection: { ...config.connection, endpoint: `http://127.0.0.1:${await freePort()}` },
    }),
    async seed(count) {
      await filler.table(TABLE, [['id', 'N']]);
      const ids = Array.from({ length: count }, (_, index) => index + 1);
      await filler.put(
        TABLE,
        ids.map((id) => item(id)),
      );
      return ids.map((id) => row(id));
    },
    insert: (ids) => write(ids),
    update: (ids) => write(ids, 1),
    async remove(ids) {
      for (const id of ids) {
        await filler.client.send(new DeleteItemCommand({ TableName: TABLE, Key: { id: { N: String(id) } } }));
      }
    },
    async addColumn(name) {
      const ExpressionAttributeNames = { '#name': name };
      const UpdateExpression = 'set #name = :one';
      const ExpressionAttributeValues = { ':one': { N: '1' } };
      await filler.client.send(
        new UpdateItemCommand({
          TableName: TABLE,
          Key: { id: { N: '1' } },
          UpdateExpression,
          ExpressionAttributeNames,
          ExpressionAttributeValues,
        }),
      );
    },
    async seedLarge(bytes) {
      await filler.table(LARGE, [['id', 'S']]);
      const filling = { S: 'x'.repeat(LARGE_ITEM) };
      const count = Math.ceil(bytes / LARGE_ITEM);
      await filler.put(
        LARGE,
        Array.from({ length: count }, (_, index) => ({ id: { S: String(index) }, filling })),
      );
      return LARGE;
    },
    openConnections: () => server.connections(),
    async stop() {
      filler.client.destroy();
      await server.stop();
    },
  };
}
