import type pg from 'pg';
import type { Batch } from '../../lib/core/batch';
import type { Json } from '../../lib/core/json';
import type { Position } from '../../lib/core/position';
import { type OpenSource, openSource } from '../contracts/open-source';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { configOf, textClient } from './postgresql';

const rowsOf = (batches: readonly Batch[]) => batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));

describeWithServer('relations of PostgreSQL 18', postgresql({ version: 18 }), (server) => {
  let client: pg.Client;
  let open: OpenSource;

  beforeAll(async () => {
    client = await textClient(server());
  });
  afterAll(() => client.end());
  beforeEach(async () => {
    await client.query(`drop schema if exists public cascade; create schema public; grant usage on schema public to public;
      drop schema if exists other cascade; create schema other`);
    open = await openSource('postgresql', configOf(server()));
  });
  afterEach(() => open[Symbol.asyncDispose]());

  const discover = async (config: object = {}) => {
    await using source = await openSource('postgresql', { ...configOf(server()), ...config });
    return await source.source.discover(AbortSignal.timeout(patient(10_000)));
  };
  const names = async (config: object = {}) => (await discover(config)).map(({ schema }) => schema.stream);
  const loginAs = async (role: string) => {
    await client.query(`drop role if exists ${role}; create role ${role} login password 'pass-of-${role}'`);
    const { connection } = configOf(server());
    return { connection: { ...connection, username: role, password: `pass-of-${role}` } };
  };

  it('reads tables and columns whatever their names', async () => {
    const odd = [
      'a "quoted" one',
      "it's",
      'white space',
      'ünïcode 🙂',
      'UPPER',
      'select',
      'back\\slash',
      '%',
      'x'.repeat(63),
      'dot.in.name',
    ];
    for (const name of odd) {
      const quoted = client.escapeIdentifier(name);
      await client.query(
        `create table ${quoted} (${quoted} int primary key, "t.x" text); insert into ${quoted} values (1, 'v')`,
      );
    }
    expect(await names()).toEqual(odd.map((name) => (name.includes('.') ? `public.${name}` : name)).sort());
    for (const { schema } of await discover()) {
      expect(rowsOf(await open.full(schema))).toEqual([[1, 'v']]);
      const [column] = schema.columns;
      expect((await open.increment(schema, column?.name ?? '', undefined)).rows).toEqual([[1, 'v']]);
    }
  });

  it('reads 1,600 columns', async () => {
    const columns = Array.from({ length: 1600 }, (_, index) => `c${index} bool`);
    await client.query(`create table wide (${columns.join(', ')}); insert into wide (c0, c1599) values (true, false)`);
    const schema = await open.schema('wide');
    expect(schema.columns).toHaveLength(1600);
    const [row] = rowsOf(await open.full(schema));
    expect([row?.length, row?.[0], row?.[1], row?.[1599]]).toEqual([1600, true, null, false]);
    expect((await open.increment(schema, 'c0', undefined)).rows[0]).toHaveLength(1601);
  });

  it('reads views, materialized views and foreign keys to nowhere', async () => {
    await client.query(`create table base (id int primary key, at timestamptz default now());
      insert into base select generate_series(1, 50);
      create view seen as select id, at from base where id <= 10;
      create materialized view kept as select id, at from base; create unique index on kept (id);
      create materialized view never as select 1 as one with no data`);
    const infos = await discover();
    expect(infos.map(({ schema, unreadable }) => [schema.stream, unreadable?.code])).toEqual([
      ['base', undefined],
      ['kept', undefined],
      ['never', 'not_populated'],
      ['seen', undefined],
    ]);
    for (const [stream, count] of [
      ['seen', 10],
      ['kept', 50],
    ] as const) {
      const schema = await open.schema(stream);
      expect(schema.key).toEqual([]);
      const options = { size: { rows: 4, bytes: 1 << 20 } };
      const batches = await open.full(schema, options);
      expect(rowsOf(batches)).toHaveLength(count);
      const increment = await open.increment(schema, 'at', undefined);
      expect(increment.rows).toHaveLength(count);
      expect((await open.increment(schema, 'at', increment.after)).rows).toEqual([]);
    }
    const schema = await open.schema('seen');
    const { parts } = await open.partitions(schema);
    const [first] = await open.full(schema, { size: { rows: 4, bytes: 1 << 20 } });
    const again = open.part(schema, parts[0] as Json, first && { from: first.after });
    await expect(again[Symbol.asyncIterator]().next()).rejects.toMatchObject({ kind: 'lost', code: 'snapshot_lost' });
  });

  it('reads a partitioned table as one stream, its partitions in parallel', async () => {
    await client.query(`create table sales (id int, day date, primary key (id, day)) partition by range (day);
      create table sales_1 partition of sales for values from ('2024-01-01') to ('2024-02-01');
      create table other.sales_2 partition of sales for values from ('2024-02-01') to ('2024-03-01') partition by hash (id);
      create table sales_2a partition of other.sales_2 for values with (modulus 2, remainder 0);
      create table sales_2b partition of other.sales_2 for values with (modulus 2, remainder 1);
      create table parent (a int); create table child (b int) inherits (parent);
      insert into parent values (1); insert into child values (2, 3);
      insert into sales select g, '2024-01-01'::date + g % 60 from generate_series(1, 1000) g`);
    expect(await names()).toEqual(['child', 'parent', 'sales']);
    const schema = await open.schema('sales');
    expect(schema.key).toEqual(['id', 'day']);
    const { parts } = await open.partitions(schema);
    expect(JSON.stringify(parts)).toContain('sales_2b');
    expect(new Set(rowsOf(await open.full(schema)).map((row) => row[0])).size).toBe(1000);
    expect(rowsOf(await open.full(await open.schema('parent')))).toEqual([[1]]);
    const reader = await loginAs('only_parent');
    await client.query('grant select on sales to only_parent');
    await using limited = await openSource('postgresql', reader);
    expect(rowsOf(await limited.full(schema))).toHaveLength(1000);
  });

  it('selects by globs', async () => {
    await client.query(
      `create table a1 (x int); create table a2 (x int); create table b (x int); create table other.a1 (x int)`,
    );
    expect(await names()).toEqual(['a1', 'a2', 'b', 'other.a1']);
    expect(await names({ schemas: ['pub*'] })).toEqual(['a1', 'a2', 'b']);
    expect(await names({ tables: ['a?'] })).toEqual(['a1', 'a2', 'other.a1']);
    expect(await names({ tables: ['public.*', '!*2'] })).toEqual(['a1', 'b']);
    expect(await names({ tables: ['!other.*'] })).toEqual(['a1', 'a2', 'b']);
  });

  it('chooses the best key there is', async () => {
    await client.query(`create table k1 (a int not null, b int not null, c int); create unique index on k1 (a, b);
      create table k2 (a int not null, b int not null); create unique index k2a on k2 (a); create unique index k2b on k2 (b);
      alter table k2 replica identity using index k2b;
      create table k3 (a int not null, b int); create unique index on k3 (b); create unique index on k3 (a) where a > 0;
      create unique index on k3 ((a + 1));
      create table k4 (a int unique deferrable initially deferred not null);
      create table k5 (a int, "b c" text, primary key ("b c", a))`);
    const keys = (await discover()).map(({ schema }) => schema.key);
    expect(keys).toEqual([['a', 'b'], ['b'], [], [], ['b c', 'a']]);
  });

  it('reports a table without rights and reads the others', async () => {
    const config = await loginAs('limited');
    for (let index = 0; index < 10; index++)
      await client.query(`create table t${index} (id int primary key, secret text)`);
    await client.query(
      'grant select on all tables in schema public to limited; revoke select on t3, t4 from limited; grant select (id) on t4 to limited; insert into t4 values (1, null)',
    );
    const infos = await discover(config);
    const refused = infos.filter((info) => info.unreadable);
    expect(refused.map(({ schema, unreadable }) => [schema.stream, unreadable?.kind, unreadable?.code])).toEqual([
      ['t3', 'config', 'permission_denied'],
    ]);
    await using limited = await openSource('postgresql', config);
    const report = await limited.source.check(AbortSignal.timeout(patient(5000)));
    expect(report.passed).toBe(true);
    expect(report.steps.find(({ name }) => name === 'permissions')).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('t3'),
    });
    const t4 = infos.find(({ schema }) => schema.stream === 't4');
    expect(t4?.notes.join()).toContain('secret');
    expect(rowsOf(await limited.full(t4?.schema ?? infos[0]?.schema ?? (undefined as never)))).toEqual([[1]]);
    await expect(limited.full({ stream: 't3', columns: [], key: [] })).rejects.toMatchObject({ kind: 'config' });
  });

  it('names a table that was dropped in mid-read', async () => {
    await client.query('create table gone (id int primary key); insert into gone select generate_series(1, 100)');
    const schema = await open.schema('gone');
    const { parts } = await open.partitions(schema);
    const size = { rows: 10, bytes: 1 << 20 };
    let from: Batch['after'] | undefined;
    for await (const batch of open.part(schema, parts[0] as Json, { size })) {
      from = batch.after;
      break;
    }
    await client.query('drop table gone');
    const read = open.part(schema, parts[0] as Json, { size, ...(from && { from }) })[Symbol.asyncIterator]();
    await expect(read.next()).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('gone'),
      hint: expect.any(String),
    });
    await expect(open.increment(schema, 'id', undefined)).rejects.toMatchObject({
      kind: 'config',
      code: 'table_missing',
    });
  });

  it('is lost when the table is rewritten under the snapshot, and plans anew at a newer one', async () => {
    await client.query('create table moved (id int primary key); insert into moved select generate_series(1, 100)');
    const schema = await open.schema('moved');
    const { parts } = await open.partitions(schema);
    await client.query('truncate moved; insert into moved values (7)');
    const read = open.part(schema, parts[0] as Json)[Symbol.asyncIterator]();
    await expect(read.next()).rejects.toMatchObject({ kind: 'lost', code: 'table_rewritten' });
    expect(rowsOf(await open.full(schema))).toEqual([[7]]);
  });

  it('reads all streams at one point in time', async () => {
    await client.query(
      'create table one (id int primary key); create table two (id int primary key); insert into one values (1); insert into two values (1)',
    );
    const [one, two] = [await open.schema('one'), await open.schema('two')];
    await open.partitions(one);
    await client.query('insert into one values (2); insert into two values (2)');
    expect(rowsOf(await open.full(two))).toEqual([[1]]);
    expect(rowsOf(await open.full(one))).toEqual([[1]]);
  });

  it('goes on at a newer snapshot when the old one ended with its process, if that can be repaired', async () => {
    await client.query('create table part (id int primary key); insert into part select generate_series(1, 100)');
    const schema = await open.schema('part');
    let parts: readonly Json[];
    {
      await using former = await openSource('postgresql', configOf(server()));
      ({ parts } = await former.partitions(schema));
    }
    const read = (repairable: boolean) => open.part(schema, parts[0] as Json, { repairable })[Symbol.asyncIterator]();
    await expect(read(false).next()).rejects.toMatchObject({ kind: 'lost', code: 'snapshot_lost' });
    const { value } = await read(true).next();
    expect(value?.kind === 'rows' && value.rows).toHaveLength(100);
  });

  it('reads in the order of the key where no snapshot lives long enough, and any process goes on behind each batch', async () => {
    await client.query(`create table keyed (name text collate "C", part float8, v int, primary key (name, part));
      insert into keyed select 'it''s "' || g % 7, case when g = 1 then 'nan' else g / 3.0 end, g from generate_series(1, 100) g`);
    const schema = await open.schema('keyed');
    const planned = await open.partitions(schema, { resumable: true });
    expect(planned).toMatchObject({ parts: [{ kind: 'keyed' }], resumable: true });
    const rows: unknown[] = [];
    let from: Position | undefined;
    for (;;) {
      await using next = await openSource('postgresql', configOf(server()));
      const size = { rows: 9, bytes: 1 << 20 };
      const options = { size, accept: ['pgcopy-binary'] as const, ...(from && { from }) };
      const read = next.part(schema, planned.parts[0] as Json, options)[Symbol.asyncIterator]();
      const { value, done } = await read.next();
      await read.return?.();
      if (done) break;
      if (value.kind === 'rows') rows.push(...value.rows.map((row) => row[2]));
      from = value.after;
      await client.query(`update keyed set v = v where v = 50; insert into keyed values ('', ${rows.length}, 0)`);
    }
    expect(rows.filter((v) => v !== 0).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    await client.query('create table unkeyed (v int)');
    const unkeyed = await open.partitions(await open.schema('unkeyed'), { resumable: true });
    expect(unkeyed.resumable).toBeUndefined();
  });

  it.each([[], ['pgcopy-binary'] as const])('lets many scans share one connection, accepting %j', async (...accept) => {
    await client.query('create table shared (id int primary key); insert into shared select generate_series(1, 1000)');
    const { connection } = configOf(server());
    await using one = await openSource('postgresql', { connection: { ...connection, max_connections: 1 } });
    const schema = await one.schema('shared');
    const { parts } = await open.partitions(schema);
    await open[Symbol.asyncDispose]();
    const read = async (request: object) => {
      let bytes = 0;
      for await (const batch of one.part(schema, undefined as never, { repairable: true, accept, ...request })) {
        if (batch.kind === 'rows') bytes += batch.rows.length * 10;
        if (batch.kind === 'bytes') for await (const chunk of batch.body) bytes += chunk.length;
      }
      return bytes;
    };
    const cursor = { column: 'id', lookbackMs: 0 };
    const all = await Promise.all([0, 1, 2].flatMap(() => [read({ partition: parts[0] }), read({ cursor })]));
    for (const bytes of all) expect(bytes).toBeGreaterThanOrEqual(10_000);
  });

  it('moves a value of 200 MB', async () => {
    await client.query(
      `create table large (id int primary key, v text); insert into large values (1, repeat('x', 200 * 1024 * 1024)), (2, 'small')`,
    );
    const schema = await open.schema('large');
    const batches = await open.full(schema, { size: { rows: 100, bytes: 1 << 20 } });
    expect(rowsOf(batches).map((row) => String(row[1]).length)).toEqual([200 * 1024 * 1024, 5]);
  });
});
