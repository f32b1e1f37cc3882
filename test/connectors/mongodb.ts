import { Decimal128, type Document, Long, MongoClient } from 'mongodb';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import type { RunningSource, SourceFixture } from '../contracts/source-reading';
import { refuseLogin, startMongoProxy } from '../servers/mongo-proxy';
import { type MongoServer, mongoServer } from '../servers/mongo-server';
import { freePort } from '../servers/port';

const SEEDED: StreamSchema = {
  stream: 'contract_items',
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

/** The emulator; logins, which it does not know, are refused by a proxy before it. */
export const fixtures: readonly SourceFixture[] = [
  {
    name: mongoServer.name,
    kind: 'emulator',
    unavailable: mongoServer.unavailable,
    start: async () => runningSource(await mongoServer.start()),
    waivers: {
      'an added column shows as another schema':
        'documents have no declared columns: what discovery did not see is in _explorerio_rest until the next run',
    },
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
  const db = client.db(DATABASE);
  const items = db.collection<Item>(SEEDED.stream);
  const proxy = await startMongoProxy(server.port, refuseLogin);
  const config = configOf(server);
  const count = async () => ((await client.db('admin').command({ serverStatus: 1 })).connections as Document).current;
  const updates = new Map<number, number>();
  const own = await count();
  return {
    config,
    required: ['connection', 'connection.host', 'connection.database'],
    secrets: [PASSWORD],
    expected: SEEDED,
    cursor: 'updated_at',
    wrongPassword: () => ({
      connection: { ...config.connection, port: proxy.port, username: 'reader', password: PASSWORD },
    }),
    closedPort: async () => ({ connection: { ...config.connection, port: await freePort(), connect_timeout: '1s' } }),
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
      const large = db.collection<Document & { readonly _id: number }>('contract_large');
      await large.deleteMany({});
      const filling = 'x'.repeat(4000);
      for (let at = 0; at < Math.ceil(bytes / 4096); at += 1000) {
        await large.insertMany(Array.from({ length: 1000 }, (_, index) => ({ _id: at + index, filling })));
      }
      return 'contract_large';
    },
    openConnections: async () => (await count()) - own,
    async stop() {
      await client.close();
      await proxy.close();
      await server.stop();
    },
  };
}
