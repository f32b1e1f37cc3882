import { BSON, type Collection, Decimal128, type Document, Long, MongoClient } from 'mongodb';
import { startMongoServer } from '../../test/servers/mongo-server';
import { type ConnectorCase, writeLines } from './case';

const DATABASE = 'bench';
const COLLECTION = 'events';
const BATCH = 1000;
const FIRST_MS = Date.UTC(2024, 0, 1);

/** MongoDB's protocol, spoken by an emulator; the bare client does what mongoexport does. */
export const mongodbCase: ConnectorCase = {
  name: 'mongodb',
  client: 'a loop of the driver that writes Extended JSON',
  async start(rows) {
    const server = await startMongoServer('6g');
    const client = new MongoClient(server.url, { promoteLongs: false });
    const events = client.db(DATABASE).collection<Document>(COLLECTION);
    for (let at = 0; at < rows; at += BATCH) {
      await events.insertMany(Array.from({ length: Math.min(BATCH, rows - at) }, (_, index) => event(at + index + 1)));
    }
    const { host, port } = server;
    return {
      document: {
        type: 'mongodb',
        connection: { host, port, database: DATABASE },
        collections: [COLLECTION],
        sync_strategy: { type: 'full' },
      },
      stream: COLLECTION,
      readWithClient: (file) => writeLines(file, lines(events)),
      async stop() {
        await client.close();
        await server.stop();
      },
    };
  },
};

async function* lines(events: Collection): AsyncGenerator<string> {
  for await (const document of events.find({}, { batchSize: BATCH }).sort({ _id: 1 })) {
    yield BSON.EJSON.stringify(document);
  }
}

/** About 250 bytes a document, as the table of the PostgreSQL benchmarks. */
function event(index: number): Document {
  return {
    _id: Long.fromNumber(index),
    account: Long.fromNumber((index * 7919) % 100_000),
    title: `Title "${index}" of\nmany — äöü 日本語 ${'x'.repeat(index % 20)}`,
    note: index % 10 === 0 ? null : `a\tnote\\${index}`,
    amount: Decimal128.fromString(((index % 1_000_000) / 7).toFixed(4)),
    ratio: index / 3,
    quantity: index % 1000,
    active: index % 3 === 0,
    attributes: { n: index, tag: `v${index % 100}`, ok: true },
    ...(index % 4 !== 0 && { payload: { list: [index, index + 1, 'two'] } }),
    created_at: new Date(FIRST_MS + index * 1000),
    updated_at: new Date(FIRST_MS + index * 1500),
  };
}
