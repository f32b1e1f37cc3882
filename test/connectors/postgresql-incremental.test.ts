import type pg from 'pg';
import type { Row } from '../../lib/core/batch';
import type { Position } from '../../lib/core/position';
import { RECORD_ID, type StreamSchema } from '../../lib/core/schema';
import { type OpenSource, openSource } from '../contracts/open-source';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { configOf, loadBytes, textClient } from './postgresql';

const settings = { max_prepared_transactions: '5' };

describeWithServer('increments of PostgreSQL 15', postgresql({ version: 15, settings }), (server) => {
  let client: pg.Client;
  let other: pg.Client;
  let open: OpenSource;
  let stream: StreamSchema;

  beforeAll(async () => {
    client = await textClient(server());
    other = await textClient(server());
  });
  beforeEach(async () => {
    open = await openSource('postgresql', configOf(server()));
  });
  afterEach(async () => {
    await other.query('rollback');
    await open[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await client.end();
    await other.end();
  });

  const make = async (columns: string, rows: string) => {
    await client.query(`drop table if exists t; create table t (${columns}); insert into t ${rows}`);
    stream = await open.schema('t');
  };
  const makeTimed = () =>
    make(
      'id int primary key, at timestamptz',
      `select g, '2024-01-01'::timestamptz + g * interval '1 s' from generate_series(1, 20) g`,
    );
  /** Ids that the next increment gives; through bytes where asked. */
  const read = async (from: Position | undefined, bytes = false, lookbackMs = 0) => {
    const found: Row[] = [];
    let after = from;
    const request = {
      cursor: { column: 'at', lookbackMs },
      repairable: true,
      accept: bytes ? (['pgcopy-binary'] as const) : [],
    };
    for await (const batch of open.part(stream, undefined as never, { ...request, ...(from && { from }) })) {
      if (batch.kind === 'rows') found.push(...batch.rows);
      if (batch.kind === 'bytes') {
        await loadBytes(client, batch, 'loaded');
        found.push(...(await client.query<string[]>({ text: 'select * from loaded', rowMode: 'array' })).rows);
      }
      after = batch.after;
    }
    return { ids: found.map((row) => Number(row[0])).sort((left, right) => left - right), rows: found, after };
  };

  describe.each([false, true])('with bytes: %p', (bytes) => {
    it('finds a row that was committed after a sync that had seen newer ones', async () => {
      await makeTimed();
      await other.query(`begin; insert into t values (100, '2024-01-01 00:00:05.5+00')`);
      await client.query(`insert into t values (101, '2024-01-01 00:01:00+00')`);
      const first = await read(undefined, bytes);
      expect(first.ids).toContain(101);
      expect(first.ids).not.toContain(100);
      const whileOpen = await read(first.after, bytes);
      expect(whileOpen.ids).toEqual([]);
      await client.query(`insert into t values (102, '2024-01-01 00:02:00+00')`);
      const fresh = await read(whileOpen.after, bytes);
      expect(fresh.ids).toEqual([102]);
      await other.query('commit');
      const late = await read(fresh.after, bytes);
      expect(late.ids).toContain(100);
      expect((await read(late.after, bytes)).ids).toEqual([]);
    });

    it('finds a late row of a transaction that had written nothing yet', async () => {
      await makeTimed();
      const first = await read(undefined, bytes);
      await other.query('begin; select 1');
      await client.query(`insert into t values (101, '2024-01-01 00:01:00+00')`);
      const second = await read(first.after, bytes);
      expect(second.ids).toEqual([101]);
      await other.query(`insert into t values (100, '2024-01-01 00:00:30+00'); commit`);
      expect((await read(second.after, bytes)).ids).toContain(100);
    });

    it('finds a late row that shares the last cursor value and has a smaller key', async () => {
      await makeTimed();
      const first = await read(undefined, bytes);
      await client.query(`insert into t values (-1, '2024-01-01 00:00:20+00')`);
      const second = await read(first.after, bytes);
      expect(second.ids).toEqual([-1, 20]);
      await client.query(`insert into t values (-2, '2024-01-01 00:00:20+00'), (30, '2024-01-01 00:00:30+00')`);
      const third = await read(second.after, bytes);
      expect(third.ids).toEqual([-2, -1, 20, 30]);
      expect((await read(third.after, bytes)).ids).toEqual([]);
    });

    it('does not read equal cursor values again and again', async () => {
      await makeTimed();
      await client.query(`update t set at = '2024-06-01'`);
      const first = await read(undefined, bytes);
      expect(first.ids).toHaveLength(20);
      expect((await read(first.after, bytes)).ids).toEqual([]);
      await client.query(`delete from t where id = 3; insert into t values (50, '2024-06-01')`);
      expect((await read(first.after, bytes)).ids).toHaveLength(20);
    });

    it('reads a row dated tomorrow each time, and never passes the clock', async () => {
      await makeTimed();
      await client.query(`insert into t values (99, now() + interval '1 day'), (98, 'infinity')`);
      const first = await read(undefined, bytes);
      expect(first.ids).toHaveLength(22);
      await client.query('insert into t values (50, clock_timestamp())');
      const second = await read(first.after, bytes);
      expect(second.ids).toEqual([50, 98, 99]);
      expect((await read(second.after, bytes)).ids).toEqual([98, 99]);
    });

    it('reads rows without a cursor value each time', async () => {
      await makeTimed();
      await client.query('insert into t values (99, null), (98, null)');
      const first = await read(undefined, bytes);
      expect(first.ids).toHaveLength(22);
      expect((await read(first.after, bytes)).ids).toEqual([98, 99]);
    });

    it('reads what is a little older again where a lookback is set', async () => {
      await makeTimed();
      const first = await read(undefined, bytes);
      expect((await read(first.after, bytes, 3000)).ids).toEqual([17, 18, 19, 20]);
    });

    it('counts a prepared transaction as open', async () => {
      await makeTimed();
      await other.query(`begin; insert into t values (100, '2024-01-01 00:00:05.5+00'); prepare transaction 'later'`);
      const first = await read(undefined, bytes);
      expect(first.ids).not.toContain(100);
      expect((await read(first.after, bytes)).ids).toEqual([]);
      await other.query(`commit prepared 'later'`);
      expect((await read(first.after, bytes)).ids).toContain(100);
    });
  });

  it('begins after a full read where late rows can still come', async () => {
    await makeTimed();
    await other.query(`begin; insert into t values (100, '2024-01-01 00:00:05.5+00')`);
    const cursor = { column: 'at', lookbackMs: 0 };
    const { parts, after } = await open.partitions(stream, { cursor });
    await client.query(`insert into t values (101, '2024-01-01 00:00:30+00')`);
    await other.query('commit');
    const full: number[] = [];
    for (const partition of parts) {
      for await (const batch of open.part(stream, partition, { cursor })) {
        if (batch.kind === 'rows') full.push(...batch.rows.map((row) => Number(row[0])));
      }
    }
    expect(full).toHaveLength(20);
    expect((await read(after)).ids).toEqual(expect.arrayContaining([100, 101]));
  });

  it('shows in a full read what was committed while its snapshot was prepared', async () => {
    await makeTimed();
    await other.query(`begin; insert into t values (100, '2024-01-01 00:00:05.5+00')`);
    const cursor = { column: 'at', lookbackMs: 0 };
    const planned = open.partitions(stream, { cursor });
    await new Promise((resolve) => setTimeout(resolve, 120));
    await other.query('commit');
    const { parts, after } = await planned;
    const found = (await read(after)).ids;
    for (const partition of parts) {
      for await (const batch of open.part(stream, partition, { cursor })) {
        if (batch.kind === 'rows') found.push(...batch.rows.map((row) => Number(row[0])));
      }
    }
    expect(found).toContain(100);
  });

  it('resumes exactly among rows without a cursor value, too', async () => {
    await makeTimed();
    await client.query('insert into t select g, null from generate_series(30, 40) g');
    const size = { rows: 5, bytes: 1 << 20 };
    const { batches, rows } = await open.increment(stream, 'at', undefined, { size });
    let seen = 0;
    for (const batch of batches.slice(0, -1)) {
      seen += batch.kind === 'rows' ? batch.rows.length : 0;
      expect((await open.increment(stream, 'at', batch.after, { size })).rows).toEqual(rows.slice(seen));
    }
    expect(rows).toHaveLength(31);
  });

  it('begins after a full read without reading it again', async () => {
    await makeTimed();
    const { after } = await open.partitions(stream, { cursor: { column: 'at', lookbackMs: 0 } });
    expect((await read(after)).ids).toEqual([]);
  });

  it('ends a resumed increment where the first reader would have, so that nothing between is lost', async () => {
    await makeTimed();
    await other.query(`begin; insert into t values (100, '2024-01-01 00:00:00.5+00')`);
    const { batches } = await open.increment(stream, 'at', undefined, { size: { rows: 5, bytes: 1 << 20 } });
    await other.query('commit');
    const rest = await open.increment(stream, 'at', batches[1]?.after);
    expect(rest.rows.map((row) => row[0])).not.toContain(100);
    expect((await read(rest.after)).ids).toContain(100);
  });

  it.each(['date', 'timestamp', 'bigint', 'numeric', 'text', 'uuid', 'double precision'])(
    'takes a cursor of type %s',
    async (type) => {
      const value: { readonly [type: string]: string } = {
        bigint: '9007199254740000 + g',
        numeric: `g / 3.0`,
        text: `'é''"' || lpad(g::text, 3, '0')`,
        uuid: `lpad(g::text, 32, '0')::uuid`,
        'double precision': 'g / 3.0',
      };
      const expression = value[type] ?? `'2024-01-01'::date + g`;
      await make(`id int primary key, at ${type} not null`, `select g, ${expression} from generate_series(1, 20) g`);
      const first = await open.increment(stream, 'at', undefined, { size: { rows: 6, bytes: 1 << 20 } });
      expect(first.rows).toHaveLength(20);
      const rest = await open.increment(stream, 'at', first.batches[1]?.after);
      expect(rest.rows).toEqual(first.rows.slice(12));
      expect((await open.increment(stream, 'at', first.after)).rows).toEqual([]);
      await client.query(`insert into t select g, ${expression} from generate_series(21, 22) g`);
      expect((await open.increment(stream, 'at', first.after)).rows.map((row) => row[0])).toEqual([21, 22]);
    },
  );

  it('names the rows of a table without a key the same in full reads and increments, identical ones included', async () => {
    await make(
      'a int, at timestamptz',
      `select g % 2, '2024-01-01'::timestamptz + (g % 3) * interval '1 s' from generate_series(1, 30) g`,
    );
    await client.query('insert into t values (7, null), (7, null)');
    const full = await open.full(stream, {
      cursor: { column: 'at', lookbackMs: 0 },
      want: 4,
      size: { rows: 4, bytes: 1 << 20 },
    });
    const rows = full.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
    expect(full[0]?.schema).toMatchObject({
      key: [RECORD_ID],
      columns: [{ name: RECORD_ID, type: 'text', nullable: false }, {}, {}],
    });
    expect(rows).toHaveLength(32);
    const ids = (of: readonly Row[]) => of.map((row) => String(row[0])).sort();
    expect(new Set(ids(rows)).size).toBe(32);
    const first = await open.increment(stream, 'at', undefined, { size: { rows: 4, bytes: 1 << 20 } });
    expect(ids(first.rows)).toEqual(ids(rows));
    await client.query(`insert into t values (1, '2024-01-01 00:00:02+00')`);
    const second = await open.increment(stream, 'at', first.after);
    expect(new Set([...ids(rows), ...ids(second.rows)]).size).toBe(33);
    for (const { after } of first.batches) {
      const replay = await open.increment(stream, 'at', after);
      const known = first.batches.slice(0, first.batches.findIndex((batch) => batch.after === after) + 1);
      const seen = known.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
      expect(new Set([...ids(seen), ...ids(replay.rows)]).size).toBeGreaterThanOrEqual(32);
    }
  });

  it('refuses a cursor that is not there, and one without an order', async () => {
    await make('id int primary key, doc json', `values (1, '{}'), (2, '{}')`);
    await expect(open.increment(stream, 'gone', undefined)).rejects.toMatchObject({
      kind: 'config',
      code: 'cursor_missing',
    });
    await expect(open.increment(stream, 'doc', undefined)).rejects.toMatchObject({
      kind: 'config',
      hint: expect.any(String),
    });
  });
});
