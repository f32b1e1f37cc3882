import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../lib/core/json';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, type EndToEnd, makeDatabases, openEndToEnd } from './home';

const LARGE = `(select string_agg(md5(g::text), '') from generate_series(1, 1000) g)`;
const CDC = { sync_strategy: { type: 'cdc' } };

describeWithServer('changes from the log of PostgreSQL', postgresql({ version: 18 }), (server) => {
  let databases: Databases;
  let home: EndToEnd;
  beforeAll(async () => {
    databases = await makeDatabases(server());
    home = await openEndToEnd(databases.targetUrl);
  });
  afterAll(async () => {
    await home?.close();
    await databases?.close();
  });

  const make = async (name: string, sql: string, more: { readonly [section: string]: Json } = CDC) => {
    await databases.source.query(`create schema ${name}; set search_path to ${name}; ${sql}`);
    await home.store(documentOf(server(), name, more));
  };
  const equal = async (name: string, table: string, columns: string) => {
    const source = await databases.source.query(`select ${columns} from ${name}.${table} order by 1`);
    const target = await databases.target.query(`select ${columns} from ${name}.${name}__${table} order by 1`);
    expect(target.rows).toEqual(source.rows);
  };

  it('keep large values, empty tables and change keys, through several tables in one transaction', async () => {
    await make(
      'shop',
      `create table orders (id int primary key, body text, n int); create table lines (id int primary key, n int);
       alter table orders alter body set storage external; insert into orders select g, ${LARGE}, g from generate_series(1, 20) g;
       insert into lines values (1, 1)`,
    );
    expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', rows: 21 });
    await databases.source.query(`begin; update orders set n = n + 1 where id <= 10; truncate lines;
      insert into lines values (2, 2), (3, 3); update orders set id = id + 100 where id > 18; delete from orders where id = 5;
      update lines set n = 9 where id = 3; commit`);
    const run = await home.sync('shop');
    expect(run).toMatchObject({ state: 'succeeded', quarantined: 0 });
    await equal('shop', 'orders', 'id, body, n');
    await equal('shop', 'lines', 'id, n');
    expect(await home.sync('shop')).toMatchObject({ state: 'succeeded', rows: 0 });
  });

  it('go through the pipeline, where what an update has not touched stays as it was made', async () => {
    await make(
      'piped',
      `create table people (id int primary key, mail text, bio text, age text);
      alter table people alter bio set storage external;
      insert into people values (1, 'A@EXAMPLE.COM', ${LARGE}, '41'), (2, 'b@example.com', 'short', '7')`,
      {
        ...CDC,
        transformations: [
          { type: 'field_mapping', mappings: { bio: 'story' } },
          { type: 'data_type_conversion', conversions: { age: 'integer' } },
        ],
        validation_rules: [{ field: 'mail', type: 'email_format', required: true }],
      },
    );
    expect(await home.sync('piped')).toMatchObject({ state: 'succeeded', rows: 2 });
    await databases.source.query(`update people set age = '42' where id = 1; update people set mail = 'none' where id = 2;
      insert into people values (3, 'c@example.com', null, 'many'); delete from people where id = 2;
      insert into people values (4, 'd@example.com', 'new', '1')`);
    expect(await home.sync('piped')).toMatchObject({ state: 'succeeded', quarantined: 2 });
    const { rows } = await databases.target.query(
      'select id, length(story) as story, age from piped.piped__people order by id',
    );
    expect(rows).toEqual([
      { id: '1', story: '32000', age: '42' },
      { id: '4', story: '3', age: '1' },
    ]);
  });

  it('are not lost while everything is read for the first time, and a writer goes on', async () => {
    await make(
      'busy',
      `create table t (id int primary key, n int); insert into t select g, 0 from generate_series(1, 20000) g`,
    );
    let stopped = false;
    const writing = (async () => {
      for (let turn = 1; !stopped; turn++) {
        await databases.source.query(`update busy.t set n = n + 1 where id % 97 = ${turn % 97};
          insert into busy.t values (${100_000 + turn}, ${turn}); delete from busy.t where id = ${turn * 3}`);
        await sleep(2);
      }
    })();
    for (let turn = 0; turn < 3; turn++) expect(await home.sync('busy')).toMatchObject({ state: 'succeeded' });
    stopped = true;
    await writing;
    await home.sync('busy');
    await equal('busy', 't', 'id, n');
  }, 120_000);

  it('mark what was deleted where deletes are soft', async () => {
    await make('soft', 'create table t (id int primary key); insert into t values (1), (2)', {
      ...CDC,
      destination: { deletes: 'soft' },
    });
    await home.sync('soft');
    await databases.source.query('delete from soft.t where id = 1');
    await home.sync('soft');
    const sql = 'select id, _explorerio_deleted_at is not null as gone from soft.soft__t order by id';
    expect((await databases.target.query(sql)).rows).toEqual([
      { id: '1', gone: 't' },
      { id: '2', gone: 'f' },
    ]);
  });

  it('go on after the program was stopped, and begin anew where the slot is gone', async () => {
    await make('again', 'create table t (id int primary key); insert into t values (1)');
    await home.sync('again');
    await home.restart(async () => void (await databases.source.query('insert into again.t values (2)')));
    expect(await home.sync('again')).toMatchObject({ state: 'succeeded', rows: 1 });
    await databases.source.query(`delete from again.t where id = 1;
      select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name like 'explorerio_again%'`);
    const run = await home.sync('again');
    expect(run.streams.map(({ notes }) => notes.join())).toContainEqual(expect.stringContaining('read anew'));
    await equal('again', 't', 'id');
  });

  it('of a table that comes later, and of one that was made anew, are whole', async () => {
    await make('later', 'create table t (id int primary key); insert into t values (1)');
    await home.sync('later');
    await databases.source.query(`create table later.u (id int primary key); insert into later.u values (1), (2);
      drop table later.t; create table later.t (id int primary key); insert into later.t values (7)`);
    expect(await home.sync('later')).toMatchObject({ state: 'succeeded' });
    await databases.source.query(
      'insert into later.u values (3); delete from later.u where id = 1; insert into later.t values (8)',
    );
    expect(await home.sync('later')).toMatchObject({ state: 'succeeded', rows: 3 });
    await equal('later', 'u', 'id');
    await equal('later', 't', 'id');
  });

  it('are followed of what may be read, where the owner has published it; nothing is made of the rest', async () => {
    await make('given', 'select 1');
    await databases.source.query(`create table given.a_secret (id int primary key); create table given.t (id int primary key);
      create role follower login replication password 'follower'; grant usage on schema given to follower;
      grant select on given.t to follower; insert into given.t values (1);
      create publication given for table given.a_secret, given.t with (publish_via_partition_root = true)`);
    const document = documentOf(server(), 'given', CDC);
    const role = { username: 'follower', password: 'follower', publication: 'given' };
    await home.store({ ...document, connection: { ...document.connection, ...role } });
    const run = await home.sync('given');
    expect(run).toMatchObject({ state: 'partial', rows: 1 });
    expect(run.streams.map(({ stream, state, fault }) => [stream, state, fault?.code])).toEqual([
      ['*', 'succeeded', undefined],
      ['given.a_secret', 'failed', 'permission_denied'],
      ['given.t', 'succeeded', undefined],
    ]);
    await databases.source.query('insert into given.a_secret values (1); insert into given.t values (2)');
    expect(await home.sync('given')).toMatchObject({ state: 'partial', rows: 1 });
    await databases.source.query('insert into given.a_secret values (2)');
    expect(await home.sync('given')).toMatchObject({ state: 'partial', rows: 0 });
    await equal('given', 't', 'id');
    const { rows } = await databases.target.query(`select tablename from pg_tables where schemaname = 'given'
      and tablename not like '\\_%'`);
    expect(rows).toEqual([{ tablename: 'given__t' }]);
    await databases.source.query('grant select on given.a_secret to follower');
    expect(await home.sync('given')).toMatchObject({ state: 'succeeded', rows: 2 });
    await equal('given', 'a_secret', 'id');
  });

  it('of one table wait for its new shape to be accepted, and the others go on', async () => {
    await make('paused', 'create table a (id int primary key); create table b (id int primary key)', {
      ...CDC,
      streams: { 'paused.a': { schema_changes: 'pause' } },
    });
    await home.sync('paused');
    await databases.source.query(`alter table paused.a add column more text; insert into paused.a values (1, 'x');
      insert into paused.b values (1)`);
    expect(await home.sync('paused')).toMatchObject({ state: 'partial', rows: 1 });
    await databases.source.query(`insert into paused.a values (2, 'y'); insert into paused.b values (2)`);
    expect(await home.sync('paused')).toMatchObject({ state: 'partial', rows: 1 });
    await equal('paused', 'b', 'id');
    await home.service.acceptSchema('paused', ['paused.a']);
    expect(await home.sync('paused')).toMatchObject({ state: 'succeeded', rows: 2 });
    await equal('paused', 'a', 'id, more');
  });

  it('read a table without a key fully, and say so', async () => {
    await make('keyless', 'create table t (n int); insert into t values (1), (1)');
    const run = await home.sync('keyless');
    expect(run.streams).toMatchObject([{ stream: 'keyless.t', mode: 'full' }]);
    expect(run.streams[0]?.notes.join()).toContain('Its changes cannot be followed: it has no key');
    await databases.source.query('update keyless.t set n = 2');
    await home.sync('keyless');
    await equal('keyless', 't', 'n');
  });
});
