import { Decimal128, type Document, Long, MongoClient, Timestamp } from 'mongodb';
import { loadConnector } from '../../lib/connectors';
import type { Batch } from '../../lib/core/batch';
import type { FeedRequest } from '../../lib/core/connector';
import type { Json } from '../../lib/core/json';
import type { Position } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';
import { applied, changesOf, expectExactRest, saved, sound, within } from '../contracts/feed-reading';
import { openSource } from '../contracts/open-source';
import { recordingLogger } from '../contracts/recording-logger';
import { sorted } from '../contracts/source-reading';
import { type Intervene, throughMongoProxy } from '../servers/mongo-proxy';
import { mongoServer } from '../servers/mongo-server';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { configOf } from './mongodb';

const DATABASE = 'changes';
const SIZE = { rows: 10, bytes: 1 << 20 };
/** The emulator has no views. */
const VIEWED = [
  { name: 'viewed', type: 'collection' },
  { name: 'own', type: 'view' },
];
const id = (value: unknown) => value as never;

describeWithServer('changes of MongoDB', mongoServer, (server) => {
  let client: MongoClient;
  beforeAll(() => {
    client = new MongoClient(server().url);
  });
  afterAll(() => client?.close());

  const collection = (name: string, database = DATABASE) => client.db(database).collection<Document>(name);
  const admin = (command: Document) => client.db('admin').command(command);
  const fill = (name: string, count: number, first = 0) =>
    collection(name).insertMany(Array.from({ length: count }, (_, index) => ({ _id: id(first + index), n: index })));

  const follow = async (names: readonly string[], more: object = {}, port = server().port, database = DATABASE) => {
    const { connection, ...rest } = { ...configOf({ host: '127.0.0.1', port }, database), ...more };
    const opened = await openSource('mongodb', { connection, collections: [...names], ...rest });
    const { feed } = opened.source;
    if (feed === undefined) throw new Error('there is no feed');
    const schemas: StreamSchema[] = [];
    for (const name of names) schemas.push(await opened.schema(name));
    const signal = () => AbortSignal.timeout(patient(20_000));
    return {
      opened,
      schemas,
      head: async (from?: Position) =>
        saved((await feed.head({ streams: schemas, signal: signal(), ...(from && { from }) })).position),
      read: (from: Position, options?: Partial<FeedRequest>) =>
        feed.read({ streams: schemas, from, size: SIZE, accept: [], signal: signal(), follow: false, ...options }),
      async drain(from: Position, options?: Partial<FeedRequest>) {
        const batches: Batch[] = [];
        for await (const batch of this.read(from, options)) batches.push(sound(batch));
        return batches;
      },
      now: async (schema: StreamSchema) =>
        sorted((await opened.full(schema)).flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []))),
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  };

  const through = (intervene: Intervene, body: (port: number) => Promise<void>) =>
    throughMongoProxy(server().port, intervene, body);

  describe('of documents', () => {
    it.each(['columns', 'json'])('come in order with the rows of a scan, as %s', async (form) => {
      const name = `plain_${form}`;
      const document = {
        2: 'b',
        1: 'a',
        long: Long.MAX_VALUE,
        real: 1,
        exact: Decimal128.fromString('1.10'),
        at: new Date(),
      };
      await collection(name).insertMany([{ _id: id(1), ...document }, { _id: id(2) }, { _id: id(3) }]);
      await using following = await follow([name], { documents: { form } });
      const [schema] = following.schemas;
      if (!schema) throw new Error('no schema');
      const from = await following.head();
      await collection(name).insertOne({ _id: id(4), ...document, inner: { 2: null, 1: [{}] } });
      await collection(name).updateOne({ _id: id(1) }, { $set: { real: 2.5 }, $unset: { at: '' } });
      await collection(name).replaceOne({ _id: id(2) }, { ...document, found_later: 'x' });
      await collection(name).deleteOne({ _id: id(3) });
      const batches = await following.drain(from);
      expect(changesOf(batches, schema)).toEqual(['insert ["4n"]', 'update ["1n"]', 'update ["2n"]', 'delete ["3n"]']);
      expect(sorted(applied(schema, [], batches))).toEqual(await following.now(schema));
      const [batch] = batches;
      expect(batch?.schema).toBe(batches.at(-1)?.schema);
      expect(Math.abs((batch?.sourceTime ?? 0) - Date.now())).toBeLessThan(60_000);
      const replaced = applied(schema, [], batches).find(([key]) => key === 2n);
      expect(JSON.stringify(replaced?.at(-1))).toContain('found_later');
    });

    it('are not lost where they happen during a scan', async () => {
      await fill('scanned', 100);
      await using following = await follow(['scanned']);
      const [schema] = following.schemas as [StreamSchema];
      const from = await following.head();
      let at = 0;
      const each = async () => {
        await collection('scanned').insertOne({ _id: id(1000 + at), n: 0 });
        await collection('scanned').updateOne({ _id: id(at) }, { $set: { n: -1 } });
        await collection('scanned').deleteOne({ _id: id(at + 50) });
        at++;
      };
      const scanned = await following.opened.full(schema, { size: SIZE, each });
      expect(at).toBeGreaterThan(5);
      const rows = scanned.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
      const now = await following.now(schema);
      expect(sorted(rows)).not.toEqual(now);
      expect(sorted(applied(schema, rows, await following.drain(from)))).toEqual(now);
    });

    it('resume behind every batch, in windows over several collections', async () => {
      for (const name of ['left', 'right']) await fill(name, 1);
      await using following = await follow(['left', 'right']);
      const from = await following.head();
      for (let n = 1; n <= 12; n++) {
        await collection(n % 3 === 0 ? 'right' : 'left').insertOne({ _id: id(n), n });
        await collection('elsewhere').insertOne({ n });
      }
      await collection('left').updateMany({}, { $set: { n: 0 } });
      const size = { rows: 4, bytes: 1 << 20 };
      const batches = await expectExactRest((position) => following.drain(position, { size }), from, following.schemas);
      expect(batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []))).toHaveLength(20);
      // Five windows, of which most hold both.
      expect(batches.length).toBeLessThanOrEqual(9);
      for (const batch of batches) expect(batch.kind === 'rows' && batch.rows.length).toBeLessThanOrEqual(4);
    });

    it('are deletes where the document is gone when it is looked up', async () => {
      await fill('looked_up', 2);
      await using following = await follow(['looked_up']);
      const [schema] = following.schemas as [StreamSchema];
      const from = await following.head();
      await collection('looked_up').updateOne({ _id: id(1) }, { $set: { n: 5 } });
      await collection('looked_up').deleteOne({ _id: id(1) });
      expect(changesOf(await following.drain(from), schema)).toEqual(['delete ["1n"]', 'delete ["1n"]']);
    });

    it('with an _id of another type stop the read only while it is there', async () => {
      await fill('unfit', 2);
      await using following = await follow(['unfit']);
      const [schema] = following.schemas as [StreamSchema];
      const from = await following.head();
      await collection('unfit').insertOne({ _id: id('text'), n: 1 });
      await collection('unfit').insertOne({ _id: id(7), n: 1 });
      await expect(following.drain(from)).rejects.toMatchObject({ kind: 'data', code: 'unfit_id' });
      await collection('unfit').deleteOne({ _id: id('text') });
      expect(changesOf(await following.drain(from), schema)).toEqual(['insert ["7n"]']);
    });
  });

  describe('of collections', () => {
    it('that are dropped or renamed are truncates, in their place', async () => {
      for (const name of ['dropped', 'renamed']) await fill(name, 2);
      await using following = await follow(['dropped', 'renamed']);
      const [dropped, renamed] = following.schemas as [StreamSchema, StreamSchema];
      const from = await following.head();
      await collection('dropped').insertOne({ _id: id(5) });
      await collection('dropped').drop();
      await fill('dropped', 1, 9);
      await collection('renamed').rename('renamed_away');
      const batches = await expectExactRest((position) => following.drain(position), from, following.schemas);
      expect(changesOf(batches, dropped)).toEqual(['insert ["5n"]', 'truncate', 'insert ["9n"]']);
      expect(changesOf(batches, renamed)).toEqual(['truncate']);
    });

    it.each([
      ['that take the place of others', 'replaced', () => collection('newer').rename('replaced', { dropTarget: true })],
      ['that go with their database', 'gone', () => client.db('gone').dropDatabase()],
    ] as const)('%s are lost, and begin anew', async (_title, name, happen) => {
      const database = name === 'gone' ? 'gone' : DATABASE;
      await collection(name, database).insertOne({ _id: id(1), n: 1 });
      await collection('newer').insertOne({ n: 1 });
      await using following = await follow([name], {}, undefined, database);
      const from = await following.head();
      await collection(name, database).insertOne({ _id: id(2), n: 2 });
      await happen();
      const lost = { kind: 'lost', code: 'change_stream_broken', message: expect.stringContaining(name) };
      const seen: Batch[] = [];
      const reading = async () => {
        for await (const batch of following.read(from)) seen.push(batch);
      };
      await expect(reading()).rejects.toMatchObject(lost);
      expect(seen[0]).toMatchObject({ kind: 'rows', rows: [[2n, 2n, null]] });
      const { after } = seen.at(-1) as Batch;
      await expect(following.head(after)).rejects.toMatchObject({ ...lost, hint: expect.stringContaining('again') });
      await expect(following.drain(after)).rejects.toMatchObject(lost);
      expect(await following.drain(await following.head())).toMatchObject([{ rows: [] }]);
    });

    it('can be followed, but no views of them', async () => {
      await fill('viewed', 1);
      await client.db(DATABASE).createCollection('own');
      const listed = { ok: 1, cursor: { id: Long.ZERO, ns: `${DATABASE}.$cmd`, firstBatch: VIEWED } };
      const listing: Intervene = (command) => ('listCollections' in command ? listed : undefined);
      await through(listing, async (port) => {
        await using following = await follow([], { collections: ['viewed', 'own'] }, port);
        const infos = await following.opened.source.discover(AbortSignal.timeout(patient(5000)));
        expect(infos.map(({ schema, modes }) => [schema.stream, modes.includes('changes')])).toEqual([
          ['own', false],
          ['viewed', true],
        ]);
      });
    });

    it('that are not followed only move the position', async () => {
      await fill('quiet', 2);
      await using following = await follow(['quiet']);
      const from = await following.head();
      await fill('loud', 300);
      const batches = await within(2000, 'a read of nothing', following.drain(from));
      expect(batches).toMatchObject([{ kind: 'rows', rows: [], schema: following.schemas[0] }]);
      expect(batches[0]?.after).not.toEqual(from);
      const again = (batches[0] as Batch).after;
      expect(await within(2000, 'a read of an idle server', following.drain(again))).toEqual([]);
      expect(await following.head(again)).toBeDefined();
    });
  });

  describe('that are followed', () => {
    const count = async () => (await admin({ openChangeStreams: 1 })).count as number;

    it('come while they happen, and a wait ends at an abort', async () => {
      await fill('waited', 1);
      await using following = await follow(['waited']);
      const [schema] = following.schemas as [StreamSchema];
      const from = await following.head();
      const stop = new AbortController();
      const seen: Batch[] = [];
      const reading = (async () => {
        for await (const batch of following.read(from, { follow: true, signal: stop.signal })) {
          seen.push(batch);
          if (changesOf(seen, schema).length >= 2) setTimeout(() => stop.abort(), 300);
        }
      })();
      await collection('waited').insertOne({ _id: id(5) });
      await collection('waited').deleteOne({ _id: id(5) });
      await expect(within(5000, 'an abort', reading)).rejects.toMatchObject({ code: 'aborted' });
      expect(changesOf(seen, schema)).toEqual(['insert ["5n"]', 'delete ["5n"]']);
      await closed();
    });

    it('leave no change stream behind, neither left early nor read to the end', async () => {
      await fill('left_early', 1);
      await using following = await follow(['left_early']);
      const from = await following.head();
      await fill('left_early', 30, 10);
      for await (const _ of following.read(from)) break;
      await following.drain(from);
      expect(await count()).toBe(0);
    });

    it('tell that only others change while they are followed', async () => {
      await fill('beaten', 1);
      await using following = await follow(['beaten']);
      const from = await following.head();
      await fill('beating', 10);
      for await (const batch of following.read(from, { follow: true })) {
        expect(batch).toMatchObject({ kind: 'rows', rows: [] });
        break;
      }
    });

    const closed = async () => {
      const end = Date.now() + patient(5000);
      while ((await count()) > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await count()).toBe(0);
    };
  });

  describe('when something goes wrong', () => {
    it.each([
      ['the oplog has forgotten', async () => void (await admin({ forgetChanges: 1 }))],
      ['another process made it up', undefined],
    ])('a position is lost where %s', async (title, lose) => {
      await collection('forgotten').deleteMany({});
      await fill('forgotten', 1);
      await using following = await follow(['forgotten']);
      const head = await following.head();
      await fill('forgotten', 2, 10);
      const after = lose ? head : { ...head, value: { token: { _data: title } } as Json };
      await lose?.();
      const lost = { kind: 'lost', code: 'change_stream_lost', hint: expect.stringContaining('oplog') };
      await expect(following.head(after)).rejects.toMatchObject(lost);
      await expect(following.drain(after)).rejects.toMatchObject(lost);
      const fresh = await following.head();
      await fill('forgotten', 1, 20);
      expect(changesOf(await following.drain(fresh), following.schemas[0] as StreamSchema)).toEqual(['insert ["20n"]']);
    });

    // Of a database as a whole only its changes are asked for.
    const alone: Intervene = (command) =>
      String(command.aggregate) === '1' ? { ok: 0, code: 40573, errmsg: 'only supported on replica sets' } : undefined;

    it('a server of its own is named, with what to do', async () => {
      await fill('standalone', 1);
      await through(alone, async (port) => {
        await using following = await follow(['standalone'], {}, port);
        await expect(following.head()).rejects.toMatchObject({
          kind: 'config',
          code: 'change_streams_unavailable',
          hint: expect.stringMatching(/replica set.*incremental/),
        });
      });
    });

    it('the check says so where changes are to be followed, and only there', async () => {
      const connector = await loadConnector('mongodb');
      const stateOf = async (port: number, follower?: string) => {
        const host = { log: recordingLogger().log, ...(follower && { follower }) };
        const source = await connector.open(configOf({ host: '127.0.0.1', port }, DATABASE), host);
        try {
          const { steps } = await source.check(AbortSignal.timeout(patient(10_000)));
          return steps.find(({ name }) => name === 'changes')?.state;
        } finally {
          await source.close();
        }
      };
      expect(await stateOf(server().port)).toBeUndefined();
      expect(await stateOf(server().port, 'me')).toBe('passed');
      await through(alone, async (port) => expect(await stateOf(port, 'me')).toBe('failed'));
    });

    it('a lost connection is gone on from by the driver, and no change is lost', async () => {
      await fill('lossy', 1);
      let calls = 0;
      const lose: Intervene = (command) => ('getMore' in command && ++calls % 3 === 0 ? 'lost' : undefined);
      await through(lose, async (port) => {
        await using following = await follow(['lossy'], {}, port);
        const from = await following.head();
        await fill('lossy', 950, 100);
        const batches = await following.drain(from);
        expect(changesOf(batches, following.schemas[0] as StreamSchema)).toEqual(
          Array.from({ length: 950 }, (_, index) => `insert ["${100 + index}n"]`),
        );
        expect(calls).toBeGreaterThan(6);
      });
    });
  });

  describe('from a head', () => {
    it('begin with what a majority has not confirmed yet, as a scan does not see it', async () => {
      await fill('unconfirmed', 1);
      const before = await admin({ isMaster: 1 });
      await collection('unconfirmed').insertOne({ _id: id(5) });
      const { lastWrite } = await admin({ isMaster: 1 });
      const answer = { ...before, operationTime: lastWrite.opTime.ts };
      const behind: Intervene = (command) => ('hello' in command ? answer : undefined);
      await through(behind, async (port) => {
        await using following = await follow(['unconfirmed'], {}, port);
        const from = await following.head();
        const [schema] = following.schemas as [StreamSchema];
        await using direct = await follow(['unconfirmed']);
        expect(changesOf(await direct.drain(from), schema)).toContain('insert ["5n"]');
        // A read that does not follow ends there, however much comes after.
        expect(changesOf(await following.drain(from), schema)).toEqual([]);
      });
    });

    it('begin earlier where the members that are read may be behind', async () => {
      await fill('secondary', 1);
      const { connection } = configOf(server());
      const lagging = { connection: { ...connection, database: DATABASE, read_preference: 'secondaryPreferred' } };
      await using following = await follow(['secondary'], lagging);
      await using exact = await follow(['secondary']);
      const seconds = async (of: typeof exact) =>
        new Timestamp(BigInt(((await of.head()).value as { readonly time: string }).time)).t;
      expect((await seconds(exact)) - (await seconds(following))).toBe(90);
    });

    it('begin with a token where the server does not tell the time', async () => {
      await fill('timeless', 1);
      const timeless: Intervene = (command) =>
        'hello' in command ? { ok: 1, localTime: new Date(), maxWireVersion: 9 } : undefined;
      await through(timeless, async (port) => {
        await using following = await follow(['timeless'], {}, port);
        const from = await following.head();
        expect(from.value).toHaveProperty('token');
        await collection('timeless').insertOne({ _id: id(5) });
        const batches = await within(5000, 'a read without an end', following.drain(from));
        expect(changesOf(batches, following.schemas[0] as StreamSchema)).toEqual(['insert ["5n"]']);
      });
    });
  });
});
