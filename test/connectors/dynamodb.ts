import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  PutItemCommand,
  paginateListTables,
  UpdateItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import { connectionOf, type GivenServer, type GivenSource, type OfServer } from '../contracts/given-server';
import { watchSockets } from '../contracts/open-sockets';
import type { Config, RunningSource, SourceFixture } from '../contracts/source-reading';
import { TROUBLE } from '../contracts/trouble-titles';
import { type Dynalite, dynalite, startDynalite } from '../servers/dynalite';
import { freePort } from '../servers/port';

export type Item = Record<string, AttributeValue>;

const LARGE_ITEM = 300 * 1024;
const BATCH = 25;
// An item has at most 400 KB.
const LARGE_VALUE = 390 << 10;
const WRONG_PASSWORD = 'a wrong password is a fault of the configuration, with a hint';
const SEEDED: Omit<StreamSchema, 'stream'> = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'decimal', nullable: false, native: 'dynamodb/N' },
    { name: 'amount', type: 'decimal', nullable: true, native: 'dynamodb/N' },
    { name: 'name', type: 'text', nullable: true, native: 'dynamodb/S' },
    { name: 'note', type: 'text', nullable: true, native: 'dynamodb/S' },
    { name: 'tags', type: 'json', nullable: true, native: 'dynamodb/json' },
    { name: 'updated_at', type: 'text', nullable: true, native: 'dynamodb/S' },
    { name: '_explorerio_rest', type: 'json', nullable: true, native: 'dynamodb/rest' },
  ],
};
const NO_LOGIN = 'dynalite accepts every key; see dynamodb-faults.test.ts, where the answers are those of AWS';

const OF_ITEMS = {
  'an added column shows as another schema':
    'items have no declared columns: what discovery did not see is in _explorerio_rest until the next run',
  [TROUBLE.late]: 'there are no transactions that are kept open; an increment waits for settle_time',
  [TROUBLE.noDatabase]: 'a region has all its tables; one that is missing is reported with its stream',
  [TROUBLE.nulls]: 'each item has a key of its own',
  [TROUBLE.many]: 'a region has at most 2,500 tables, and each is asked for by itself',
};

export const fixtures: readonly SourceFixture[] = [
  {
    name: dynalite().name,
    kind: 'emulator',
    unavailable: dynalite().unavailable,
    start: async () => runningSource(await startDynalite()),
    waivers: { ...OF_ITEMS, [WRONG_PASSWORD]: NO_LOGIN },
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
    // All writers are on this machine, and wait for their answers.
    settle_time: '100ms',
  };
}

/** What tests fill tables with. It keeps no connection, so that those of a source can be counted. */
export class Filler {
  readonly client: DynamoDBClient;

  constructor({ url, region, credentials }: Pick<Dynalite, 'region'> & Partial<Pick<Dynalite, 'url' | 'credentials'>>) {
    const agents = { httpAgent: new Agent({ keepAlive: false }), httpsAgent: new SecureAgent({ keepAlive: false }) };
    const place = { ...(url !== undefined && { endpoint: url }), ...(credentials && { credentials }) };
    this.client = new DynamoDBClient({ region, ...place, requestHandler: agents });
  }

  async table(name: string, key: readonly (readonly [name: string, type: 'S' | 'N' | 'B'])[]): Promise<void> {
    await this.drop(name);
    const KeySchema = key.map(
      ([AttributeName], index): KeySchemaElement => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' }),
    );
    const AttributeDefinitions = key.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));
    const BillingMode = 'PAY_PER_REQUEST';
    await this.client.send(new CreateTableCommand({ TableName: name, KeySchema, AttributeDefinitions, BillingMode }));
    await this.#until(name, 'ACTIVE');
  }

  async drop(name: string): Promise<void> {
    try {
      await this.client.send(new DeleteTableCommand({ TableName: name }));
      await this.#until(name, undefined);
    } catch (error) {
      if ((error as Error).name !== 'ResourceNotFoundException') throw error; // there is none
    }
  }

  // A table is made and removed a moment after the answer.
  async #until(name: string, state: 'ACTIVE' | undefined): Promise<void> {
    for (const end = performance.now() + 120_000; performance.now() < end; await sleep(50)) {
      await sleep(10);
      const { Table } = await this.client.send(new DescribeTableCommand({ TableName: name }));
      if (Table?.TableStatus === state) return;
    }
    throw new Error(`the table ${name} does not become ${state ?? 'removed'}`);
  }

  async put(table: string, items: readonly Item[]): Promise<void> {
    for (let at = 0; at < items.length; at += BATCH) {
      let left: Record<string, WriteRequest[]> = {
        [table]: items.slice(at, at + BATCH).map((Item) => ({ PutRequest: { Item } })),
      };
      while (Object.keys(left).length > 0) {
        const { UnprocessedItems = {} } = await this.client.send(new BatchWriteItemCommand({ RequestItems: left }));
        left = UnprocessedItems;
      }
    }
  }
}

const DIGITS = '12345678901234567890.123456789012345678';

function item(id: number, updates = 0): Item {
  return {
    updated_at: { S: new Date().toISOString() },
    id: { N: String(id) },
    name: { S: `name "${id}"\t\\ \n é 🙂` },
    amount: { N: id % 5 === 0 ? DIGITS : String(id * 1.25 + updates) },
    tags: { SS: ['b', 'a'] },
    ...(id % 3 === 0 && { note: { S: 'note' } }),
  };
}

function row({ id, name, amount, note, updated_at: time }: Item): Row {
  const texts = [id?.N, amount?.N, name?.S, note?.S, '["a","b"]', time?.S];
  return [...texts.map((text) => text ?? null), null];
}

async function runningSource(server: Dynalite): Promise<RunningSource> {
  const filler = new Filler(server);
  const config = configOf(server);
  const { connection } = config;
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return {
    ...sourceOf(filler, 'contract_'),
    config,
    secrets: ['not-the-secret'],
    wrongPassword: () => ({ connection: { ...connection, secret_access_key: 'not-the-secret' } }),
    closedPort: async () => ({ connection: { ...connection, endpoint: at(await freePort()) } }),
    line: {
      host: '127.0.0.1',
      port: Number(new URL(server.url).port),
      through: (port) => ({
        connection: { ...connection, endpoint: at(port), connect_timeout: '300ms', request_timeout: '300ms' },
      }),
    },
    openConnections: () => server.connections(),
    async stop() {
      filler.client.destroy();
      await server.stop();
    },
  };
}

/** The same in an account of the user's, or on an emulator of theirs. */
export async function givenSource(given: GivenServer): Promise<GivenSource> {
  const { prefix } = given;
  const connections = watchSockets();
  const connection = connectionOf(given) as { readonly [key: string]: string };
  const { region = '', endpoint, access_key_id: accessKeyId, secret_access_key: secretAccessKey } = connection;
  const credentials =
    accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : undefined;
  const filler = new Filler({
    region,
    ...(endpoint !== undefined && { url: endpoint }),
    ...(credentials && { credentials }),
  });
  const made = async (beginning: string) => {
    const names: string[] = [];
    for await (const { TableNames = [] } of paginateListTables({ client: filler.client }, {})) {
      names.push(...TableNames.filter((name) => name.startsWith(beginning)));
    }
    return names;
  };
  const config = { ...given.config, tables: [`${prefix}*`] };
  const changed = (fields: Config) => ({ ...config, connection: { ...connectionOf(given), ...fields } });
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const wrong = { access_key_id: 'EXPLORERIOVERIFYNOBODY', secret_access_key: 'not-the-secret' };
  const plain = endpoint?.startsWith('http:') ? new URL(endpoint) : undefined;
  return {
    ...sourceOf(filler, prefix),
    config,
    secrets: [secretAccessKey ?? 'not-the-secret'],
    wrongPassword: () => changed(wrong),
    closedPort: async () => changed({ endpoint: at(await freePort()) }),
    ...(plain && {
      line: {
        host: plain.hostname,
        port: Number(plain.port || 80),
        through: (own) => changed({ endpoint: at(own), connect_timeout: '3s', request_timeout: '3s' }),
      },
    }),
    openConnections: connections,
    notRun: {
      ...OF_ITEMS,
      ...(plain && { [WRONG_PASSWORD]: 'emulators of DynamoDB let everybody in' }),
      ...(!plain && { 'a slow reader bounds the memory': 'it would write 96 MB, which costs money here' }),
    },
    made,
    async removeAll() {
      for (const name of await made(prefix)) await filler.drop(name);
    },
    stop: async () => filler.client.destroy(),
  };
}

function sourceOf(filler: Filler, prefix: string): Omit<RunningSource, OfServer> {
  const items = `${prefix}items`;
  const write = async (ids: readonly number[], updates = 0): Promise<Row[]> => {
    const rows: Row[] = [];
    for (const id of ids) {
      const written = item(id, updates);
      await filler.client.send(new PutItemCommand({ TableName: items, Item: written }));
      rows.push(row(written));
    }
    return rows;
  };
  return {
    required: ['connection', 'connection.region'],
    expected: { stream: items, ...SEEDED },
    cursor: 'updated_at',
    async seed(count) {
      await filler.table(items, [['id', 'N']]);
      const ids = Array.from({ length: count }, (_, index) => index + 1);
      const all = ids.map((id) => item(id));
      await filler.put(items, all);
      return all.map(row);
    },
    insert: (ids) => write(ids),
    update: (ids) => write(ids, 1),
    async remove(ids) {
      for (const id of ids) {
        await filler.client.send(new DeleteItemCommand({ TableName: items, Key: { id: { N: String(id) } } }));
      }
    },
    async addColumn(name) {
      const ExpressionAttributeNames = { '#name': name };
      const UpdateExpression = 'set #name = :one';
      const ExpressionAttributeValues = { ':one': { N: '1' } };
      await filler.client.send(
        new UpdateItemCommand({
          TableName: items,
          Key: { id: { N: '1' } },
          UpdateExpression,
          ExpressionAttributeNames,
          ExpressionAttributeValues,
        }),
      );
    },
    async seedLarge(bytes) {
      const large = `${prefix}large`;
      await filler.table(large, [['id', 'S']]);
      const filling = { S: 'x'.repeat(LARGE_ITEM) };
      const count = Math.ceil(bytes / LARGE_ITEM);
      const all = Array.from({ length: count }, (_, index) => ({ id: { S: String(index) }, filling }));
      await filler.put(large, all);
      return large;
    },
    async seedNamed(_stream, column) {
      const named = `${prefix}named.a-b`;
      await filler.table(named, [['id', 'N']]);
      await filler.put(named, [{ id: { N: '1' }, [column]: { S: 'here' } }]);
      return { stream: named, rows: [['1', 'here', null]] };
    },
    async seedText() {
      const text = `${prefix}text`;
      await filler.table(text, [['id', 'N']]);
      await filler.put(text, [{ id: { N: '1' }, value: { S: 'x'.repeat(LARGE_VALUE) } }]);
      return { stream: text, bytes: LARGE_VALUE };
    },
  };
}
