import { type Db, Decimal128, type Document, Long, MongoClient } from 'mongodb';
import { connect } from '../../lib/connectors/mongodb/client';
import { mongodbConfig } from '../../lib/connectors/mongodb/config';
import { endpointOf } from '../../lib/connectors/mongodb/endpoint';
import { hello } from '../../lib/connectors/mongodb/server-clock';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import { FEED, noFeed } from '../contracts/feed-titles';
import { connectionOf, type GivenServer, type GivenSource, NOBODY, type OfServer } from '../contracts/given-server';
import { watchSockets } from '../contracts/open-sockets';
import type { Config, RunningSource, SourceFixture } from '../contracts/source-reading';
import { TROUBLE } from '../contracts/trouble-titles';
import { refuseLogin, startMongoProxy } from '../servers/mongo-proxy';
import { type MongoServer, mongoServer } from '../servers/mongo-server';
import { freePort } from '../servers/port';

const SEEDED: Omit<StreamSchema, 'stream'> = {
  key: ['_id'],
  columns: [
    { name: '_id', type: 'int64', nullable: false, native: 'mongodb/long' },
    { name: 'name', type: 'text', nullable: true, native: 'mongodb/string' },
    { name: 'amount', type: 'decimal', nullable: true, native: 'mongodb/decimal' },
    { name: 'updated_at', type: 'timestamptz', nullable: true, native: 'mongodb/date' },
    { name: 'note', type: 'text', nullable: true, native: 'mongodb/string' },
    { name: '_explorerio_rest', type: 'json', nullable: true, native: 'mongodb/json' },
  ],
};
const DATABASE = 'contract';
const HOUR_MS = 3_600_000;
const PASSWORD = 'the-very-secret-password';
// A document has at most 16 MB.
const LARGE_VALUE = 15 << 20;

/** Checks that make no sense for MongoDB. */
export const OF_DOCUMENTS = {
  'an added column shows as another schema':
    'documents have no declared columns: what discovery did not see is in _explorerio_rest until the next run',
  [TROUBLE.noDatabase]: 'a database that is not there is an empty one',
  [TROUBLE.nulls]: 'each document has an _id of its own',
  [TROUBLE.late]: 'shown by mongodb-reading.test.ts, without the transactions that only a replica set has',
  [TROUBLE.many]: 'each collection is looked into, which takes longer than a test may',
  [FEED.key]: 'the _id of a document never changes',
  [FEED.truncate]:
    'a collection that is made anew has the columns of its new documents: shown by mongodb-changes.test.ts',
  [FEED.column]: 'a document has no declared columns: what is new in it is in _explorerio_rest until the next run',
  [FEED.late]: 'transactions are only in replica sets, which cannot be had here: shown by mongodb-changes.test.ts',
};

const STANDALONE = 'change streams are only in replica sets and sharded clusters';
const NO_ADMINISTRATOR = 'it would make the oplog of a server of yours smaller';

/** The emulator; logins, which it does not know, are refused by a proxy before it. */
export const fixtures: readonly SourceFixture[] = [
  {
    name: mongoServer.name,
    kind: 'emulator',
    unavailable: mongoServer.unavailable,
    start: async () => runningSource(await mongoServer.start()),
    waivers: OF_DOCUMENTS,
  },
];

/** The configuration of a source that reads a test server. */
export function configOf({ host, port }: Pick<MongoServer, 'host' | 'port'>, database = DATABASE) {
  return { connection: { host, port, database } };
}

interface Item extends Document {
  readonly _id: Long;
  readonly name: string;
  readonly amount: Decimal128;
  readonly updated_at: Date;
  readonly note?: string;
}

function item(id: number, updates: number, updatedAt: Date): Item {
  return {
    _id: Long.fromNumber(id),
    name: `name "${id}"\t\\ \n é 🙂`,
    amount: Decimal128.fromString((id * 1.25 + updates).toFixed(2)),
    updated_at: updatedAt,
    ...(id % 3 === 0 && { note: 'note' }),
  };
}

function rowOf({ _id, name, amount, updated_at, note }: Item): Row {
  const at = updated_at.toISOString().replace('T', ' ').replace('.000Z', 'Z').replace('Z', '+00');
  return [_id.toBigInt(), name, amount.toString(), at, note ?? null, null];
}

async function runningSource(server: MongoServer): Promise<RunningSource> {
  const client = new MongoClient(server.url, { maxPoolSize: 1, serverMonitoringMode: 'poll' });
  await client.connect();
  const proxy = await startMongoProxy(server.port, refuseLogin);
  const config = configOf(server);
  const { connection } = config;
  const count = async () => ((await client.db('admin').command({ serverStatus: 1 })).connections as Document).current;
  const own = await count();
  const source = sourceOf(client.db(DATABASE), 'contract_');
  return {
    ...source,
    changes: { ...source.changes, loseLog: async () => void (await client.db('admin').command({ forgetChanges: 1 })) },
    config,
    required: ['connection', 'connection.host', 'connection.database'],
    secrets: [PASSWORD],
    wrongPassword: () => ({ connection: { ...connection, port: proxy.port, username: 'reader', password: PASSWORD } }),
    closedPort: async () => ({ connection: { ...connection, port: await freePort(), connect_timeout: '1s' } }),
    line: {
      host: server.host,
      port: server.port,
      through: (port) => ({ connection: { ...connection, port, connect_timeout: '500ms' } }),
    },
    openConnections: async () => (await count()) - own,
    async stop() {
      await client.close();
      await proxy.close();
      await server.stop();
    },
  };
}

/** The same on a server of the user's. */
export async function givenSource(given: GivenServer): Promise<GivenSource> {
  const { prefix } = given;
  const endpoint = endpointOf(mongodbConfig.parse(given.config).connection);
  const connections = watchSockets();
  const { client, db } = await connect(endpoint);
  const own = await connections();
  const made = async (beginning: string) => {
    const found = await db.listCollections({}, { nameOnly: true }).toArray();
    return found.map(({ name }) => name).filter((name) => name.startsWith(beginning));
  };
  const config = { ...given.config, collections: [`${prefix}*`] };
  const { setName, msg } = await hello(db);
  const isFollowed = setName !== undefined || msg === 'isdbgrid';
  const changed = (fields: Config) => ({ ...config, connection: { ...connectionOf(given), ...fields } });
  const [only, ...others] = endpoint.hosts;
  const isPlain =
    endpoint.tls === undefined && others.length === 0 && (endpoint.replicaSet === undefined || endpoint.direct);
  const direct = { host: '127.0.0.1', direct: true };
  return {
    ...sourceOf(db, prefix),
    config,
    required: ['connection'],
    secrets: [endpoint.password?.reveal() ?? NOBODY.password],
    wrongPassword: () => changed(NOBODY),
    closedPort: async () => changed({ ...direct, port: await freePort(), connect_timeout: '1s' }),
    ...(only !== undefined &&
      isPlain && { line: { ...only, through: (port) => changed({ ...direct, port, connect_timeout: '3s' }) } }),
    openConnections: async () => (await connections()) - own,
    notRun: {
      ...(isFollowed ? { [FEED.lost]: NO_ADMINISTRATOR } : noFeed(STANDALONE)),
      ...OF_DOCUMENTS,
      ...(endpoint.username === undefined && {
        'a wrong password is a fault of the configuration, with a hint': NO_LOGIN,
      }),
    },
    made,
    async removeAll() {
      for (const name of await made(prefix)) await db.dropCollection(name);
    },
    stop: () => client.close(),
  };
}

const NO_LOGIN = 'there is no user to log in as, so the server may let everybody in';

function sourceOf(db: Db, prefix: string): Omit<RunningSource, OfServer | 'required'> {
  const items = db.collection<Item>(`${prefix}items`);
  const updates = new Map<number, number>();
  return {
    expected: { stream: items.collectionName, ...SEEDED },
    cursor: 'updated_at',
    async seed(rows) {
      await items.deleteMany({});
      updates.clear();
      const began = Date.now() - HOUR_MS;
      const all = Array.from({ length: rows }, (_, index) =>
        item(index + 1, 0, new Date(began + Math.floor((index + 1) / 7))),
      );
      await items.insertMany(all);
      await items.createIndex({ updated_at: 1 });
      return all.map(rowOf);
    },
    async insert(ids) {
      const all = ids.map((id) => item(id, 0, new Date()));
      await items.insertMany(all);
      return all.map(rowOf);
    },
    async update(ids) {
      const changed: Row[] = [];
      for (const id of ids) {
        updates.set(id, (updates.get(id) ?? 0) + 1);
        const next = item(id, updates.get(id) ?? 0, new Date());
        await items.replaceOne({ _id: next._id }, next);
        changed.push(rowOf(next));
      }
      return changed;
    },
    async remove(ids) {
      await items.deleteMany({ _id: { $in: ids.map((id) => Long.fromNumber(id)) } });
    },
    async addColumn(name) {
      await items.updateMany({}, { $set: { [name]: 1 } });
    },
    async seedLarge(bytes) {
      const large = db.collection<Document & { readonly _id: number }>(`${prefix}large`);
      await large.deleteMany({});
      const filling = 'x'.repeat(4000);
      for (let at = 0; at < Math.ceil(bytes / 4096); at += 1000) {
        await large.insertMany(Array.from({ length: 1000 }, (_, index) => ({ _id: at + index, filling })));
      }
      return large.collectionName;
    },
    async seedNamed(stream, column) {
      const named = db.collection<Document & { readonly _id: Long }>(prefix + stream);
      await named.deleteMany({});
      await named.insertOne({ _id: Long.ONE, [column]: 'here' });
      return { stream: named.collectionName, rows: [[1n, 'here', null]] };
    },
    async seedText() {
      const text = db.collection<Document & { readonly _id: number }>(`${prefix}text`);
      await text.deleteMany({});
      await text.insertOne({ _id: 1, value: 'x'.repeat(LARGE_VALUE) });
      return { stream: text.collectionName, bytes: LARGE_VALUE };
    },
    changes: {
      truncate: async () => void (await items.drop()),
      async rewriteLarge() {
        await db.collection(`${prefix}large`).updateMany({}, { $set: { filling: `y${'x'.repeat(4000)}` } });
      },
    },
  };
}
