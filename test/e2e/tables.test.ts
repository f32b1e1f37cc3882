import type { RunDetails } from '../../lib/core/run';
import { tableName } from '../../lib/destinations/postgresql/names';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import {
  connect,
  type Databases,
  documentOf,
  type EndToEnd,
  eventually,
  faultsOf,
  makeDatabases,
  openEndToEnd,
  PATHS,
} from './home';

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

describeWithServer('tables that are odd', postgresql({ version: 18 }), (server) => {
  let databases: Databases;
  let program: EndToEnd;

  beforeAll(async () => {
    databases = await makeDatabases(server());
    program = await openEndToEnd(databases.targetUrl);
  });
  afterAll(async () => {
    await program.close();
    await databases.close();
  });

  const read = async (sql: string) => (await databases.target.query(sql)).rows;
  const succeeded = (run: RunDetails) => {
    expect(faultsOf(run)).toEqual({});
    expect(run).toMatchObject({ state: 'succeeded', quarantined: 0 });
    return run.rows;
  };
  const make = async (name: string, sql: string, more: object = {}) => {
    await databases.source.query(`create schema ${quoted(name)}; set search_path to ${quoted(name)}; ${sql}`);
    await program.store({ ...documentOf(server(), name), ...more });
  };

  describe.each(PATHS)('by bulk %s', (bulk) => {
    const named = (name: string) => `${name}_${bulk}`;
    const settings = { sync_settings: { bulk } };

    it('have names with quotes, spaces, emoji and 63 bytes', async () => {
      const names = [
        'a "quoted" one',
        "it's",
        'white space',
        '\u{1f600}',
        `${'ä'.repeat(31)}x`,
        'select',
        'UPPER',
        '$1',
      ];
      const tables = names.map((name) => {
        const q = quoted(name);
        return `create table ${q} (${q} int primary key, "t.x" text, updated_at timestamptz default now());
          insert into ${q} values (1, 'one')`;
      });
      const schema = named('odd');
      await make(schema, tables.join(';'), settings);
      expect(succeeded(await program.sync(schema))).toBe(names.length);
      for (const name of names) await databases.source.query(`insert into ${quoted(name)} values (2, 'two')`);
      expect(succeeded(await program.sync(schema))).toBe(names.length);
      for (const name of names) {
        const table = `${quoted(schema)}.${quoted(tableName(`${schema}.${name}`))}`;
        expect(await read(`select ${quoted(name)} as key, "t.x" as text from ${table} order by 1`)).toEqual([
          { key: '1', text: 'one' },
          { key: '2', text: 'two' },
        ]);
      }
    });

    it('are empty, and are filled later', async () => {
      const schema = named('empty');
      await make(schema, 'create table nothing (id int primary key, updated_at timestamptz default now())', settings);
      for (const type of ['incremental', 'incremental', 'full', 'incremental'] as const) {
        expect(succeeded(await program.sync(schema, type))).toBe(0);
        expect(await read(`select * from ${schema}.${schema}__nothing`)).toEqual([]);
      }
      await databases.source.query('insert into nothing values (1)');
      expect(succeeded(await program.sync(schema))).toBe(1);
    });

    it('hold zero bytes where PostgreSQL allows them', async () => {
      const schema = named('nul');
      await make(
        schema,
        `create table zeros (id int primary key, b bytea, j json, jb jsonb, updated_at timestamptz default now());
         insert into zeros values (1, '\\x00ff00', '{"a": "\\u0000"}', '{"a": "\\\\u0000"}')`,
        settings,
      );
      expect(succeeded(await program.sync(schema))).toBe(1);
      await databases.source.query(`insert into zeros select 2, b, j, jb from zeros`);
      expect(succeeded(await program.sync(schema))).toBe(1);
      const row = { b: '\\x00ff00', j: '{"a": "\\u0000"}', jb: '{"a": "\\\\u0000"}' };
      expect(await read(`select b, j, jb from ${schema}.${schema}__zeros`)).toEqual([row, row]);
    });

    it('change the type of a column between syncs: wider, narrower and quite another', async () => {
      const schema = named('retyped');
      await make(
        schema,
        `create table t (id int primary key, a int, b text, c bigint, d numeric(10,2), updated_at timestamptz default now());
         insert into t values (1, 1, 'x', 3000000000, 1.25)`,
        settings,
      );
      succeeded(await program.sync(schema));
      await databases.source.query(`
        alter table t alter a type bigint, alter b type varchar(10), alter d type numeric(40,20);
        update t set updated_at = now(); insert into t values (2, 4000000000, 'y', 5, 1.23456789012345678901)`);
      succeeded(await program.sync(schema));
      await databases.source.query(`
        alter table t alter a type text; alter table t drop c; alter table t add c timestamptz;
        insert into t values (3, 'three', 'z', 2, now(), '2024-02-29 00:00:00.123456+00')`);
      const run = await program.sync(schema);
      succeeded(run);
      expect(run.streams[0]?.changes.length).toBeGreaterThan(0);
      expect(
        await read(`select id, a::text, b, d::numeric(40,20) as d, c::text from ${schema}.${schema}__t order by id`),
      ).toEqual([
        { id: '1', a: '1', b: 'x', d: '1.25000000000000000000', c: expect.anything() },
        { id: '2', a: '4000000000', b: 'y', d: '1.23456789012345678901', c: expect.anything() },
        { id: '3', a: 'three', b: 'z', d: '2.00000000000000000000', c: '2024-02-29 00:00:00.123456+00' },
      ]);
      succeeded(await program.sync(schema, 'full'));
      expect(await read(`select id, a::text from ${schema}.${schema}__t where c is not null order by id`)).toEqual([
        { id: '3', a: 'three' },
      ]);
    });

    it('vanish or change while a run waits for them: the others are read, what was stored stays', async () => {
      const schema = named('vanishing');
      const tables = ['a_stays', 'b_goes', 'c_changes'].map(
        (name) => `create table ${name} (id int primary key, v int default 7, updated_at timestamptz default now());
          insert into ${name} select generate_series(1, 100)`,
      );
      await make(schema, tables.join(';'), { sync_settings: { bulk, parallel: 1 } });
      succeeded(await program.sync(schema));
      for (const type of ['full', 'incremental'] as const) {
        await databases.source.query('update a_stays set v = v + 1, updated_at = now()');
        const other = await connect(databases.sourceUrl);
        await other.query(`begin; set search_path to ${schema}; lock table b_goes, c_changes in access exclusive mode`);
        const { id } = await program.service.sync(schema, { type, trigger: 'manual', whenRunning: 'refuse' });
        const blocked = 'select 1 as one from pg_stat_activity where wait_event_type = $1';
        await eventually(async () => (await databases.source.query(blocked, ['Lock'])).rows[0]);
        await other.query(`drop table b_goes; alter table c_changes alter v type text using v || ' now a text';
          update c_changes set updated_at = now(); commit`);
        await other.end();
        const run = await program.service.wait(id, AbortSignal.timeout(30_000));
        expect(faultsOf(run)).toEqual({
          [`${schema}.b_goes`]: expect.objectContaining({
            kind: 'config',
            code: 'table_missing',
            hint: expect.any(String),
            message: expect.stringContaining('b_goes'),
          }),
        });
        expect(run.state).toBe('partial');
        const counts = ['a_stays', 'b_goes', 'c_changes'].map(
          (name) => `(select count(*) from ${schema}.${schema}__${name}) as ${name}`,
        );
        expect(await read(`select ${counts.join(', ')}`)).toEqual([
          { a_stays: '100', b_goes: '100', c_changes: '100' },
        ]);
        expect(await read(`select distinct v from ${schema}.${schema}__c_changes`)).toEqual([{ v: '7 now a text' }]);
        await databases.source.query(`create table b_goes (id int primary key, v int, updated_at timestamptz default now());
          insert into b_goes select generate_series(1, 100); alter table c_changes alter v type int using 7`);
        succeeded(await program.sync(schema, 'full'));
      }
    });

    it('have a row that is committed late, and one that shares the last value of the cursor', async () => {
      const schema = named('late');
      await make(
        schema,
        `create table t (id int primary key, v text, updated_at timestamptz not null default now()); create index on t (updated_at);
         insert into t select g, 'first', '2024-01-01' from generate_series(1, 50) g`,
        settings,
      );
      const late = await connect(databases.sourceUrl);
      await late.query(`begin; insert into ${schema}.t values (101, 'late, before the first load')`);
      await databases.source.query(`insert into t values (102, 'newer', clock_timestamp())`);
      succeeded(await program.sync(schema));
      await late.query(`commit; begin; insert into ${schema}.t values (103, 'late, before an increment')`);
      await databases.source.query(`insert into t values (104, 'newer', clock_timestamp())`);
      succeeded(await program.sync(schema));
      await late.query('commit');
      await late.end();
      await databases.source.query(
        `insert into t select 90 - g, 'equal', max(updated_at) from t, generate_series(1, 2) g group by g`,
      );
      succeeded(await program.sync(schema));
      const all = 'select id, v, updated_at::text from';
      const rows = (await databases.source.query(`${all} t order by 1`)).rows;
      expect(rows).toHaveLength(56);
      expect(await read(`${all} ${schema}.${schema}__t order by 1`)).toEqual(rows);
      expect(succeeded(await program.sync(schema))).toBe(0);
    });
  });

  it('have 1,600 columns, three more than there is room for: it is said, and the others are read', async () => {
    const columns = (count: number) => Array.from({ length: count }, (_, index) => `c${index} bool`).join(', ');
    await make(
      'wide',
      `create table widest (${columns(1600)}); insert into widest (c1599) values (true);
       create table wide (${columns(1597)}); insert into wide (c1596) values (true);
       create table narrow (id int primary key); insert into narrow values (1)`,
    );
    const run = await program.sync('wide');
    expect(run.state).toBe('partial');
    expect(faultsOf(run)).toEqual({
      'wide.widest': expect.objectContaining({
        kind: 'config',
        code: 'too_many_columns',
        message: expect.stringContaining('widest'),
        hint: expect.stringContaining('1597'),
      }),
    });
    expect(await read('select c0, c1596 from wide.wide__wide')).toEqual([{ c0: null, c1596: 't' }]);
    expect(await read('select id from wide.wide__narrow')).toEqual([{ id: '1' }]);
    expect(await read(`select relname from pg_class where relname ~ 'widest|_explorerio_load_'`)).toEqual([]);
  });

  it('are thousands: planning does as much for each as when they are few', async () => {
    const signal = AbortSignal.timeout(60_000);
    const tables = (from: number, to: number) =>
      `do $$ begin for i in ${from}..${to} loop
        execute format('create table t%s (id int primary key, updated_at timestamptz)', i);
        if i % 500 = 0 then commit; end if; end loop; end $$`;
    const plan = async () => {
      const begun = performance.now();
      const { streams } = await program.service.plan('many', signal);
      return { streams: streams.length, ms: performance.now() - begun };
    };
    await databases.source.query('create schema many; set search_path to many');
    await databases.source.query(tables(1, 250));
    await program.store(documentOf(server(), 'many'));
    await plan();
    const few = await plan();
    await databases.source.query(tables(251, 2000));
    const many = await plan();
    expect([few.streams, many.streams]).toEqual([250, 2000]);
    // 8 times as many: 64 times as long would be quadratic.
    expect(many.ms / few.ms).toBeLessThan(32);
  });
});
