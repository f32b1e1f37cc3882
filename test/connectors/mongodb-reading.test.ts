import { type Document, MongoClient, ObjectId } from 'mongodb';
import type { Row } from '../../lib/core/batch';
import type { Json } from '../../lib/core/json';
import type { Position } from '../../lib/core/position';
import { openSource } from '../contracts/open-source';
import { type Intervene, throughMongoProxy } from '../servers/mongo-proxy';
import { mongoServer } from '../servers/mongo-server';
import { patient } from '../servers/patience';
import { describeWithServer } from '../servers/require';
import { configOf } from './mongodb';

const DATABASE = 'reading';
const DAY_MS = 86_400_000;
const SIZE = { rows: 10, bytes: 1 << 20 };

describeWithServer('reading MongoDB', mongoServer, (server) => {
  let client: MongoClient;
  beforeAll(() => {
    client = new MongoClient(server().url);
  });
  afterAll(() => client?.close());

  const collection = (name: string) => client.db(DATABASE).collection<Document>(name);
  const fill = async (name: string, count: number, more: (index: number) => Document = () => ({})) => {
    const documents = Array.from({ length: count }, (_, index) => ({ _id: index as never, n: index, ...more(index) }));
    await collection(name).insertMany(documents);
  };
  const open = (more: object = {}, port = server().port) => {
    const { connection } = configOf({ host: '127.0.0.1', port }, DATABASE);
    return openSource('mongodb', { connection, ...more });
  };
  const opened = async (name: string) => {
    const source = await open({ collections: [name] });
    return { source, schema: await source.schema(name) };
  };
  const idsOf = (rows: readonly Row[]) => rows.map((row) => Number(row[0]));

  describe('in parts', () => {
    it.each([
      ['numbers', (index: number) => index],
      ['object_ids', (index: number) => ObjectId.createFromTime(1_700_000_000 + index)],
      ['mixed', (index: number) => (index % 2 === 0 ? index : `text ${index}`)],
    ])('gives all %s once, in ranges of about equal size', async (name, idOf) => {
      await collection(name).insertMany(Array.from({ length: 20_000 }, (_, index) => ({ _id: idOf(index) as never })));
      const { source, schema } = await opened(name);
      await using _ = source;
      const { parts, resumable } = await source.partitions(schema, { want: 3 });
      expect([parts.length, resumable]).toEqual([3, true]);
      const seen = new Set<unknown>();
      let rows = 0;
      for (const part of parts) {
        let size = 0;
        for await (const batch of source.part(schema, part as Json)) {
          for (const row of batch.kind === 'rows' ? batch.rows : []) {
            seen.add(row[0]);
            size++;
          }
        }
        expect(size).toBeGreaterThan(6000);
        rows += size;
      }
      expect([rows, seen.size]).toEqual([20_000, 20_000]);
    });
  });

  describe('when something goes wrong', () => {
    const through = (intervene: Intervene, body: (port: number) => Promise<void>) =>
      throughMongoProxy(server().port, intervene, body);

    it('goes on after each lost connection', async () => {
      await fill('lossy', 100);
      let calls = 0;
      const everyOther: Intervene = (command) => ('getMore' in command && calls++ % 2 === 1 ? 'lost' : undefined);
      await through(everyOther, async (port) => {
        await using source = await open({ collections: ['lossy'] }, port);
        const schema = await source.schema('lossy');
        calls = 0;
        const ids: number[] = [];
        let from: Position | undefined;
        const readOn = async () => {
          for await (const batch of source.part(schema, {}, { size: SIZE, ...(from && { from }) })) {
            if (batch.kind === 'rows') ids.push(...idsOf(batch.rows));
            from = JSON.parse(JSON.stringify(batch.after)) as Position;
          }
        };
        let losses = 0;
        for (let lost: unknown = true; lost !== undefined; ) {
          lost = await readOn().catch((error: unknown) => error);
          if (lost !== undefined) losses++;
          if (lost !== undefined) expect(lost).toMatchObject({ kind: 'transient', code: 'connection_lost' });
        }
        expect(losses).toBeGreaterThan(2);
        expect(ids).toEqual(Array.from({ length: 100 }, (_, index) => index));
      });
    });

    it('reports a collection without rights, and reads the others', async () => {
      for (const name of ['allowed', 'refused']) await fill(name, 3);
      const refuse: Intervene = (command) =>
        command.find === 'refused' ? { ok: 0, code: 13, errmsg: 'not authorized on reading' } : undefined;
      await through(refuse, async (port) => {
        await using source = await open({ collections: ['allowed', 'refused'] }, port);
        const infos = await source.source.discover(AbortSignal.timeout(patient(5000)));
        expect(infos.map(({ schema, unreadable }) => [schema.stream, unreadable?.code])).toEqual([
          ['allowed', undefined],
          ['refused', 'permission_denied'],
        ]);
        expect(infos[1]?.unreadable?.message).toMatch(/^reading refused: /);
        const report = await source.source.check(AbortSignal.timeout(patient(5000)));
        expect(report.passed).toBe(true);
        expect(report.steps.find(({ name }) => name === 'permissions')).toMatchObject({
          state: 'warning',
          detail: '1 of 2 collections can be read; not refused',
          hint: expect.stringContaining('read'),
        });
      });
    });

    it('goes on where the server has forgotten the cursor', async () => {
      await fill('forgotten', 30);
      const forget: Intervene = (command) =>
        'getMore' in command ? { ok: 0, code: 43, errmsg: 'cursor id not found' } : undefined;
      await through(forget, async (port) => {
        await using source = await open({ collections: ['forgotten'] }, port);
        const schema = await source.schema('forgotten');
        await expect(source.full(schema, { size: SIZE })).rejects.toMatchObject({
          kind: 'transient',
          code: 'cursor_lost',
        });
      });
    });

    it('says that a dropped collection is gone, before the read and in its middle', async () => {
      await fill('dropped', 100);
      const { source, schema } = await opened('dropped');
      await using _ = source;
      const gone = { kind: 'config', code: 'collection_missing', message: expect.stringContaining('dropped') };
      let read = 0;
      const drop = async () => {
        if (read++ === 1) await collection('dropped').drop();
      };
      await expect(source.full(schema, { size: SIZE, each: drop })).rejects.toMatchObject({ kind: expect.anything() });
      await expect(source.full(schema)).rejects.toMatchObject(gone);
      await expect(source.increment(schema, '_id', undefined)).rejects.toMatchObject(gone);
    });

    it('says which step of a login failed', async () => {
      const refuse: Intervene = (command) =>
        'saslStart' in command ? { ok: 0, code: 18, errmsg: 'Authentication failed.' } : undefined;
      await through(refuse, async (port) => {
        const { connection } = configOf({ host: '127.0.0.1', port }, DATABASE);
        const login = { ...connection, username: 'reader', password: 'wrong', connect_timeout: '2s' };
        await using source = await openSource('mongodb', { connection: login });
        const { steps } = await source.source.check(AbortSignal.timeout(patient(5000)));
        expect(steps.map(({ name, state }) => [name, state])).toEqual([
          ['resolve', 'passed'],
          ['connect', 'passed'],
          ['tls', 'passed'],
          ['authenticate', 'failed'],
          ['database', 'skipped'],
          ['permissions', 'skipped'],
          ['read', 'skipped'],
        ]);
        expect(steps[3]).toMatchObject({ kind: 'config', code: 'authentication_failed' });
      });
    });
  });

  describe('what is odd', () => {
    it('has names with quotes, blanks, dots and unicode, fields too', async () => {
      const names = ['a "quoted" one', "it's", 'with.dots', '\u{1f600}', 'UPPER'];
      for (const name of names)
        await collection(name).insertMany([{ _id: 1 as never, [name.replace('.', '_')]: name }]);
      for (const name of names) {
        const { source, schema } = await opened(name);
        await using _ = source;
        const [batch] = await source.full(schema);
        expect(batch).toMatchObject({ rows: [[1n, name, null]] });
      }
    });

    it('is empty, and is filled later', async () => {
      await client.db(DATABASE).createCollection('nothing');
      const { source, schema } = await opened('nothing');
      await using _ = source;
      expect(schema.columns.map(({ name }) => name)).toEqual(['_id', '_explorerio_rest']);
      expect(await source.full(schema)).toMatchObject([{ rows: [], after: { value: { done: true } } }]);
      const _id = new ObjectId();
      await collection('nothing').insertOne({ _id, n: 1 });
      expect(await source.full(schema)).toMatchObject([{ rows: [[_id.toHexString(), '{"n":1}']] }]);
    });

    it('is selected by globs; unknown names are nothing', async () => {
      for (const name of ['glob_a', 'glob_b', 'glob_backup']) await fill(name, 1);
      await using source = await open({ collections: ['glob_*', '!*_backup', 'not_there'] });
      const infos = await source.source.discover(AbortSignal.timeout(patient(5000)));
      expect(infos.map(({ schema }) => schema.stream)).toEqual(['glob_a', 'glob_b']);
    });

    it('has a value of megabytes', async () => {
      const text = 'x'.repeat(15 << 20);
      await collection('huge').insertMany([{ _id: 1 as never, text }]);
      const { source, schema } = await opened('huge');
      await using _ = source;
      const [batch] = await source.full(schema);
      expect(batch?.kind === 'rows' && batch.rows[0]?.[1] === text).toBe(true);
    });
  });

  describe('by a cursor', () => {
    const at = (milliseconds: number) => new Date(Date.now() - milliseconds);

    it('reads equal values over the edge of batches, resumed after each', async () => {
      const same = at(DAY_MS);
      await fill('equal', 100, (index) => ({ at: index < 50 ? same : at(DAY_MS / 2) }));
      const { source, schema } = await opened('equal');
      await using _ = source;
      const all = await source.increment(schema, 'at', undefined, { size: SIZE });
      expect(idsOf(all.rows)).toEqual(Array.from({ length: 100 }, (_, index) => index));
      for (const [index, { after }] of all.batches.entries()) {
        const rest = await source.increment(schema, 'at', JSON.parse(JSON.stringify(after)), { size: SIZE });
        expect(idsOf(rest.rows)).toEqual(idsOf(all.rows).slice((index + 1) * SIZE.rows));
      }
    });

    it('sees what is written late, with a time of a moment ago', async () => {
      await fill('late', 3, () => ({ at: at(10_000) }));
      const { source, schema } = await opened('late');
      await using _ = source;
      const first = await source.increment(schema, 'at', undefined);
      await collection('late').insertOne({ _id: 90 as never, n: 0, at: at(40_000) });
      const second = await source.increment(schema, 'at', first.after);
      expect(idsOf(second.rows)).toEqual([90]);
      expect((await source.increment(schema, 'at', second.after)).rows).toEqual([]);
    });

    it('is not stopped by times of tomorrow', async () => {
      await fill('tomorrow', 3, (index) => ({ at: index === 0 ? at(-DAY_MS) : at(DAY_MS) }));
      const { source, schema } = await opened('tomorrow');
      await using _ = source;
      const first = await source.increment(schema, 'at', undefined);
      expect(idsOf(first.rows)).toEqual([1, 2, 0]);
      await collection('tomorrow').insertOne({ _id: 91 as never, n: 0, at: at(0) });
      expect(idsOf((await source.increment(schema, 'at', first.after)).rows)).toEqual([91]);
    });

    it('is of use when all writers are a day behind', async () => {
      await fill('behind', 3, () => ({ at: at(DAY_MS) }));
      const { source, schema } = await opened('behind');
      await using _ = source;
      const { after } = await source.partitions(schema, { cursor: { column: 'at', lookbackMs: 0 } });
      await collection('behind').insertOne({ _id: 92 as never, n: 0, at: at(DAY_MS - 1000) });
      expect(idsOf((await source.increment(schema, 'at', after)).rows)).toContain(92);
    });

    it('reads what has no value, or one of another type, each time', async () => {
      const odd = [undefined, null, 'text', [at(0)]];
      await fill('odd', 6, (index) =>
        index < 4 ? (odd[index] === undefined ? {} : { at: odd[index] }) : { at: at(DAY_MS) },
      );
      await using source = await open({ collections: ['odd'] });
      const found = await source.schema('odd');
      // As it was discovered when all of them were dates.
      const dates = { name: 'at', type: 'timestamptz', nullable: true, native: 'mongodb/date' } as const;
      const schema = { ...found, columns: found.columns.map((column) => (column.name === 'at' ? dates : column)) };
      const first = await source.increment(schema, 'at', undefined, { size: { rows: 1, bytes: 1 << 20 } });
      expect(idsOf(first.rows)).toEqual([4, 5, 0, 1, 2, 3]);
      for (const [index, { after }] of first.batches.slice(0, 6).entries()) {
        const rest = await source.increment(schema, 'at', JSON.parse(JSON.stringify(after)));
        expect(idsOf(rest.rows)).toEqual([4, 5, 0, 1, 2, 3].slice(index + 1));
      }
      expect(idsOf((await source.increment(schema, 'at', first.after)).rows)).toEqual([0, 1, 2, 3]);
    });

    it('follows counters and _id', async () => {
      await fill('counted', 5);
      const { source, schema } = await opened('counted');
      await using _ = source;
      for (const cursor of ['n', '_id']) {
        const first = await source.increment(schema, cursor, undefined, { size: { rows: 2, bytes: 1 << 20 } });
        expect(idsOf(first.rows)).toEqual([0, 1, 2, 3, 4]);
        expect((await source.increment(schema, cursor, first.after)).rows).toEqual([]);
      }
      await collection('ids').insertMany(Array.from({ length: 5 }, () => ({ n: 1 })));
      const ids = await opened('ids');
      await using __ = ids.source;
      const first = await ids.source.increment(ids.schema, '_id', undefined);
      expect(first.rows).toHaveLength(5);
      const { insertedId } = await collection('ids').insertOne({ n: 2 });
      const second = await ids.source.increment(ids.schema, '_id', first.after);
      expect(second.rows.map((row) => row[0])).toEqual([insertedId.toHexString()]);
    });

    it('reads again more new documents than it can remember, and loses none', async () => {
      await fill('many', 400, () => ({ at: at(1000) }));
      const { source, schema } = await opened('many');
      await using _ = source;
      const first = await source.increment(schema, 'at', undefined);
      expect(JSON.stringify(first.after).length).toBeLessThan(16 * 1024);
      await collection('many').insertOne({ _id: 1000 as never, n: 0, at: at(2000) });
      const second = await source.increment(schema, 'at', first.after);
      expect([second.rows.length, idsOf(second.rows).includes(1000)]).toEqual([401, true]);
    });

    it('is described by index, nulls and fineness', async () => {
      await fill('described', 4, (index) => ({ at: at(1000), day: new Date(0), ...(index > 0 && { some: at(1) }) }));
      await collection('described').createIndex({ at: 1, n: 1 });
      await collection('described').createIndex({ some: 1 }, { sparse: true });
      await using source = await open({ collections: ['described'] });
      const [info] = await source.source.discover(AbortSignal.timeout(patient(5000)));
      expect(info?.estimate?.rows).toBe(4);
      expect(info?.cursors).toEqual([
        { column: '_id', nullable: false, coarse: false, indexed: true },
        { column: 'n', nullable: false, coarse: false, indexed: false },
        { column: 'at', nullable: false, coarse: false, indexed: true },
        { column: 'day', nullable: false, coarse: true, indexed: false },
        { column: 'some', nullable: true, coarse: false, indexed: false },
      ]);
    });
  });
});
