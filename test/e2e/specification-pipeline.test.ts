import type { Json } from '../../lib/core/json';
import { startReceiver } from '../adapters/embedded/notify/http-receiver';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { SECTIONS } from '../unit/engine/specification';
import { type Databases, documentOf, eventually, makeDatabases } from './home';
import { type ServedHome, startServedHome } from './served-home';

const [transformations] = SECTIONS.transformations as unknown as readonly Json[];
const [validation_rules] = SECTIONS.validation_rules as unknown as readonly Json[];
const [error_handling] = SECTIONS.error_handling as unknown as readonly Json[];
const [byTimestamp, byLogs] = SECTIONS.sync_strategy as unknown as readonly Json[];

// Each example of the specification of what happens to data, word for word, in the whole program over HTTP.
describeWithServer('the examples of the specification of data', postgresql({ version: 18 }), (server) => {
  let databases: Databases;
  let home: ServedHome;
  let slack: Awaited<ReturnType<typeof startReceiver>>;

  beforeAll(async () => {
    databases = await makeDatabases(server());
    slack = await startReceiver();
    home = await startServedHome(databases.targetUrl, { EXPLORERIO_SLACK_WEBHOOK_URL: `${slack.url}/services/T0` });
  });
  afterAll(async () => {
    await home?.stop();
    await slack?.down();
    await databases?.close();
  });

  const stored = async (sql: string) => (await databases.target.query(sql)).rows;
  const make = async (name: string, sql: string, sections: { readonly [section: string]: Json }) => {
    await databases.source.query(`create schema ${name}; set search_path to ${name}; ${sql}`);
    return home.call('POST', '/api/integrations', documentOf(server(), name, sections));
  };
  const quarantined = async (name: string) =>
    (await home.call('GET', `/api/integrations/${name}/quarantine`)).body.records as {
      readonly field: string;
      readonly rule?: string;
      readonly reason: string;
      readonly record: { readonly [field: string]: Json };
    }[];

  it('Field Mapping, data type conversion and enrichment: names, types and a country', async () => {
    const created = await make(
      'mapped',
      `create table customers (customer_id bigint primary key, customer_name text, email_address text, signup_date text,
         age text, is_active text, ip_address inet);
       insert into customers values
         (1, 'Ann', 'ann@example.com', '2024-02-29T12:00:00.5+01:00', '41', 'yes', '8.8.8.8'),
         (2, 'Bob', 'bob@example.com', '2024-01-31', '7', 'FALSE', '2001:4860:4860::8888'),
         (3, 'Eve', null, null, null, null, '10.0.0.1'),
         (4, 'Old', 'old@example.com', 'yesterday', '99', 'yes', null),
         (5, 'Odd', 'odd@example.com', '2024-01-31', 'many', 'yes', null)`,
      { transformations: transformations ?? [] },
    );
    expect(created.status).toBe(201);
    expect(await home.sync('mapped')).toMatchObject({ state: 'succeeded', rows: 3, quarantined: 2 });
    expect(
      await stored(`select id, name, email, created_at at time zone 'UTC' as created_at, age + 0 as age,
        is_active and true as is_active, country from mapped.mapped__customers order by id`),
    ).toEqual([
      {
        id: '1',
        name: 'Ann',
        email: 'ann@example.com',
        created_at: '2024-02-29 11:00:00.5',
        age: '41',
        is_active: 't',
        country: 'US',
      },
      {
        id: '2',
        name: 'Bob',
        email: 'bob@example.com',
        created_at: '2024-01-31 00:00:00',
        age: '7',
        is_active: 'f',
        country: null, // of IPv6 nothing is known out of the box
      },
      { id: '3', name: 'Eve', email: null, created_at: null, age: null, is_active: null, country: null },
    ]);
    const failed = await quarantined('mapped');
    expect(Object.fromEntries(failed.map(({ field, record }) => [Number(record.customer_id), field]))).toEqual({
      4: 'created_at',
      5: 'age',
    });
  }, 60_000);

  it('Data Validation Rules and error handling: bad records in quarantine with field and rule, and somebody is told', async () => {
    const created = await make(
      'checked',
      `create table people (id int primary key, email text, age int, country_code text);
       insert into people values (1, 'ann@example.com', 41, 'US'), (2, 'bob@example.com', 0, 'CA'), (3, 'eve@example.com', 150, 'FR'),
         (4, null, 41, 'US'), (5, 'not an address', 41, 'US'), (6, 'f@example.com', -1, 'US'), (7, 'g@example.com', 151, 'US'),
         (8, 'h@example.com', 41, 'XX'), (9, 'i@example.com', null, null)`,
      { validation_rules: validation_rules ?? [], error_handling: error_handling ?? {} },
    );
    expect(created.status).toBe(201);
    expect(created.body.warnings).toEqual([]);
    expect(await home.sync('checked')).toMatchObject({ state: 'succeeded', rows: 4, quarantined: 5 });
    expect((await stored('select id from checked.checked__people order by id')).map(({ id }) => id)).toEqual([
      '1',
      '2',
      '3',
      '9',
    ]);
    const failed = await quarantined('checked');
    expect(
      failed
        .map(({ record, field, rule }) => [Number(record.id), field, rule])
        .sort(([a], [b]) => Number(a) - Number(b)),
    ).toEqual([
      [4, 'email', 'email_format'],
      [5, 'email', 'email_format'],
      [6, 'age', 'range'],
      [7, 'age', 'range'],
      [8, 'country_code', 'enum'],
    ]);
    const told = await eventually(async () =>
      slack.requests.map(({ body }) => body.toString('utf8')).find((body) => body.includes('checked: 5 records')),
    );
    expect(told).toContain('5 in quarantine');
    expect(told).not.toContain('not an address');
  }, 60_000);

  it('Timestamp-based Incremental Sync: everything first, then what is new, the position kept in the database', async () => {
    const created = await make(
      'stamped',
      `create table orders (id int primary key, note text, updated_at timestamptz not null default now());
       create index on orders (updated_at);
       insert into orders select id, null, now() - id * interval '1 second' from generate_series(1, 1000) id`,
      { sync_strategy: byTimestamp ?? {} },
    );
    expect(created.status).toBe(201);
    const plan = (await home.call('GET', '/api/integrations/stamped/plan')).body;
    expect(plan.streams).toMatchObject([{ mode: 'incremental', cursor: 'updated_at', warnings: [] }]);
    const first = await home.sync('stamped');
    expect(first).toMatchObject({ state: 'succeeded', rows: 1000, streams: [{ mode: 'full' }] });
    await databases.source.query(`update stamped.orders set note = 'new', updated_at = now() where id = 7;
      insert into stamped.orders (id) values (1001)`);
    const second = await home.sync('stamped');
    expect(second).toMatchObject({ state: 'succeeded', rows: 2, streams: [{ mode: 'incremental' }] });
    expect(await stored(`select count(*) as rows, count(note) as notes from stamped.stamped__orders`)).toEqual([
      { rows: '1001', notes: '1' },
    ]);
    const positions = await stored(`select stream from stamped._explorerio_positions where position is not null`);
    expect(positions).toContainEqual({ stream: 'stamped.orders' });
  }, 60_000);

  it('Timestamp-based Incremental Sync: plan names the consequences of a cursor that is nullable, coarse or not indexed', async () => {
    await make(
      'coarse',
      `create table by_day (id int primary key, updated_at date not null); create index on by_day (updated_at);
       create table by_second (id int primary key, updated_at timestamp(0) not null); create index on by_second (updated_at);
       create table sometimes (id int primary key, updated_at timestamptz); create index on sometimes (updated_at);
       create table unindexed (id int primary key, updated_at timestamptz not null);
       create table no_cursor (id int primary key);
       create table no_key (updated_at timestamptz not null); create index on no_key (updated_at)`,
      { sync_strategy: byTimestamp ?? {} },
    );
    const { body } = await home.call('GET', '/api/integrations/coarse/plan');
    const warnings = Object.fromEntries(
      body.streams.map((one: { stream: string; warnings: string[] }) => [one.stream.split('.')[1], one.warnings]),
    );
    expect(warnings).toEqual({
      by_day: [expect.stringContaining('is coarse: rows of the last value are compared, and read again')],
      by_second: [expect.stringContaining('is coarse')],
      sometimes: [expect.stringContaining('may be null: rows without it are read again each time')],
      unindexed: [expect.stringContaining('has no index: every increment scans the whole table')],
      no_cursor: [expect.stringContaining('every sync reads the whole stream')],
      no_key: [
        expect.anything(),
        expect.stringContaining('an updated row arrives as a new row beside its older version'),
      ],
    });
  }, 60_000);

  it('Change Data Capture: inserts, updates and deletes from the log, the shape as it was accepted', async () => {
    const created = await make(
      'logged',
      `create table orders (id int primary key, state text, note text);
       insert into orders select g, 'new' from generate_series(1, 2500) g`,
      { sync_strategy: byLogs ?? {}, error_handling: { strategy: 'quarantine', notification: true } },
    );
    expect([created.status, created.body.warnings]).toEqual([201, []]);
    // It comes by itself, every minute; and by hand.
    const { body: status } = await home.call('GET', '/api/integrations/logged/status');
    expect(Date.parse(status.next_run) - Date.now()).toBeLessThan(60_000);
    expect(await home.sync('logged')).toMatchObject({ state: 'succeeded', rows: 2500 });
    await databases.source.query(`insert into orders values (2501, 'new'); update orders set state = 'paid' where id <= 2;
      delete from orders where id = 3; update orders set id = 9000 where id = 4`);
    expect(await home.sync('logged')).toMatchObject({ state: 'succeeded', rows: 6 });
    const all = (table: string) => `select id, state, note from ${table} order by id::int`;
    const { rows } = await databases.source.query(all('logged.orders'));
    expect(await stored(all('logged.logged__orders'))).toEqual(rows);
    await databases.source.query(`alter table orders add column extra text; insert into orders values (9001, 'new', null, 'x'),
      (9002, 'new', null, null)`);
    expect(await home.sync('logged')).toMatchObject({ state: 'succeeded', rows: 1, quarantined: 1 });
    expect(await quarantined('logged')).toMatchObject([{ field: 'extra', record: { id: 9001, extra: 'x' } }]);
    expect(await stored(`select count(*)::int as n from logged.logged__orders where id = '9002'`)).toEqual([
      { n: '1' },
    ]);
    expect((await home.call('DELETE', '/api/integrations/logged')).status).toBe(204);
    const left = 'select slot_name from pg_replication_slots union select pubname from pg_publication';
    expect((await databases.source.query(left)).rows).toEqual([]);
  }, 60_000);
});
