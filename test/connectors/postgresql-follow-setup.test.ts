import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { endOfLog } from '../../lib/connectors/postgresql/head';
import type { Session } from '../../lib/connectors/postgresql/session';
import type { Position } from '../../lib/core/position';
import { faultOf, signal } from '../contracts/source-reading';
import { type PostgresqlServer, postgresql } from '../servers/postgresql';
import { Follower } from '../servers/postgresql-follower';
import { describeWithServer } from '../servers/require';
import { configOf, textClient } from './postgresql';

const PAGE = 8192;
const NAMES = `select 'slot ' || slot_name as name from pg_replication_slots
  union all select 'publication ' || pubname from pg_publication order by 1`;

describeWithServer('what following changes makes in PostgreSQL', postgresql({ version: 15 }), (server) => {
  let client: pg.Client;
  beforeAll(async () => {
    client = await textClient(server());
  });
  afterAll(() => client.end());
  afterEach(async () => {
    await client.query(`drop schema public cascade; create schema public; grant all on schema public to public`);
    await client.query(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active`);
    const { rows } = await client.query<{ pubname: string }>('select pubname from pg_publication');
    for (const { pubname } of rows) await client.query(`drop publication ${pubname}`);
    await client.query('drop owned by reader; drop role reader').catch((error) => expect(error.code).toBe('42704'));
  });
  const made = async () => (await client.query<{ name: string }>(NAMES)).rows.map(({ name }) => name);
  const fault = (follower: Follower) => faultOf(() => follower.begin());

  it('is a slot and a publication of its own for each follower, and gone when it is forgotten', async () => {
    await client.query('create table a (id int primary key)');
    await using one = await Follower.open(configOf(server()), 'Shop of 2026-01-01');
    await using two = await Follower.open(configOf(server()), 'Shop of 2026-01-02');
    await one.begin();
    await two.begin();
    expect(await made()).toEqual([
      expect.stringMatching(/^publication explorerio_shop_of_2026_01_01_[0-9a-f]{8}$/),
      expect.stringMatching(/^publication explorerio_shop_of_2026_01_02_[0-9a-f]{8}$/),
      expect.stringMatching(/^slot explorerio_shop_of_2026_01_01_[0-9a-f]{8}$/),
      expect.stringMatching(/^slot explorerio_shop_of_2026_01_02_[0-9a-f]{8}$/),
    ]);
    await client.query('insert into a values (1)');
    expect(await one.changes()).toEqual(['insert a {"id":1}']);
    expect(await two.changes()).toEqual(['insert a {"id":1}']);
    await one.feed.forget?.(signal());
    await one.feed.forget?.(signal());
    expect(await made()).toEqual([expect.stringContaining('01_02'), expect.stringContaining('01_02')]);
  });

  it('keeps the log until it was stored, and no longer', async () => {
    await client.query('create table a (id int primary key)');
    await using follower = await Follower.open(configOf(server()));
    await follower.begin();
    const confirmed = async () =>
      (await client.query<{ lsn: string }>('select confirmed_flush_lsn as lsn from pg_replication_slots')).rows[0]?.lsn;
    const before = await confirmed();
    await client.query('insert into a values (1)');
    expect(await follower.changes()).toHaveLength(1);
    expect(await confirmed()).toBe(before);
    const position = follower.position as { format: number; value: { lsn: string } };
    await follower.feed.acknowledge(position);
    expect(await confirmed()).toBe(position.value.lsn);
    expect(await follower.begin()).toMatchObject({ begun: [] });
  });

  it('ends where the log ends, also at the begin of a page', async () => {
    await client.query('create table a (id int primary key)');
    await using follower = await Follower.open(configOf(server()));
    await follower.begin();
    const asking: Pick<Session, 'query'> = { query: async (sql) => (await client.query(sql)).rows };
    let end = 1;
    // The server's own processes may write something just then.
    for (let id = 1; id <= 5 && end % PAGE !== 0; id++) {
      await client.query(`insert into a values (${id})`);
      await client.query('select pg_switch_wal()');
      end = await endOfLog(asking as Session);
    }
    // The next record will stand behind a header, before which the server has sent all that there is.
    expect(end % PAGE).toBe(0);
    expect(await follower.changes()).toContain('insert a {"id":1}');
  });

  it('moves on where only other tables change, so that the log can be forgotten', async () => {
    await client.query('create table a (id int primary key); create table b (id int primary key)');
    await using follower = await Follower.open({ ...configOf(server()), tables: ['a'] });
    await follower.begin();
    const before = follower.position;
    await client.query('insert into b select generate_series(1, 100)');
    const batches = await follower.batches();
    expect(batches).toMatchObject([{ kind: 'rows', rows: [], schema: { stream: 'a' } }]);
    expect(follower.position).not.toEqual(before);
  });

  it.each<[string, string, (follower: Follower) => Promise<unknown>]>([
    ['was dropped', 'is not there any more', async (follower) => follower.feed.forget?.(signal())],
    [
      'was read by somebody else',
      'was read by somebody else',
      async () => {
        await client.query('set synchronous_commit = on');
        await client.query('insert into a values (1)');
        await client.query(`select pg_replication_slot_advance(slot_name, pg_current_wal_insert_lsn())
          from pg_replication_slots`);
      },
    ],
    [
      'is of a server that was restored',
      'restored to an older state',
      async (follower) => {
        const ahead = { format: 1, value: { lsn: 'FF/0' } };
        expect(await faultOf(() => follower.begin(ahead))).toMatchObject({ kind: 'lost' });
        throw await faultOf(() => follower.begin(ahead));
      },
    ],
  ])('is lost where the slot %s', async (_what, message, lose) => {
    await client.query('create table a (id int primary key)');
    await using follower = await Follower.open(configOf(server()));
    await follower.begin();
    const found = await faultOf(async () => {
      await lose(follower);
      await follower.begin();
    });
    expect(found).toMatchObject({ kind: 'lost', code: 'slot_lost', hint: expect.any(String) });
    expect(found.message).toContain(message);
  });

  it('is only what the owner has made, where the role may not make it', async () => {
    await client.query(`create table a (id int primary key); create table b (id int primary key);
      create role reader login replication password 'reader'; grant select on all tables in schema public to reader;
      create publication given for table a with (publish_via_partition_root = true)`);
    const { connection } = configOf(server());
    const own = { ...connection, username: 'reader', password: 'reader' };
    await using refused = await Follower.open({ connection: own });
    expect(
      (await refused.source.discover(signal())).map(({ modes, notes }) => [modes.includes('changes'), notes.join()]),
    ).toEqual([
      [false, expect.stringContaining('connection.publication')],
      [false, expect.stringContaining('connection.publication')],
    ]);
    await using follower = await Follower.open({ connection: { ...own, publication: 'given' } }, 'given');
    await follower.begin();
    expect(follower.streams.map(({ stream }) => stream)).toEqual(['a']);
    expect(follower.infos[1]?.notes.join()).toContain('publication given does not hold it');
    await client.query('insert into a values (1); insert into b values (1)');
    expect(await follower.changes()).toEqual(['insert a {"id":1}']);
    await follower.feed.forget?.(signal());
    expect(await made()).toContain('publication given');
    await using missing = await Follower.open({ connection: { ...own, publication: 'nowhere' } });
    expect(await fault(missing)).toMatchObject({ kind: 'config', code: 'publication_missing' });
  });

  it('needs a role that may replicate, and says so', async () => {
    await client.query(`create role reader login password 'reader'; grant all on schema public to reader;
      set role reader; create table a (id int primary key); reset role`);
    const { connection } = configOf(server());
    await using follower = await Follower.open({
      connection: { ...connection, username: 'reader', password: 'reader' },
    });
    const denied = await fault(follower);
    expect(denied).toMatchObject({ kind: 'config', code: 'publication_denied' });
    expect(denied.hint).toContain('connection.publication');
    await client.query('grant create on database postgres to reader');
    const found = await fault(follower);
    expect(found).toMatchObject({ kind: 'config', code: 'replication_denied' });
    expect(found.hint).toContain('REPLICATION');
    await client.query('drop table a');
  });

  it('leaves out, with the reason, what the log does not have in full', async () => {
    await client.query(`create table keyless (n int); create unlogged table quick (id int primary key);
      create table made (id int primary key, twice int generated always as (id * 2) stored);
      create table other (id int primary key, code int not null unique); alter table other replica identity using index other_code_key;
      create table none (id int primary key); alter table none replica identity nothing;
      create table whole (id int primary key); alter table whole replica identity full;
      create view seen as select 1 as n`);
    await using follower = await Follower.open(configOf(server()));
    await follower.begin();
    const told = follower.infos.map(({ schema, notes, modes }) => [
      schema.stream,
      modes.includes('changes') ? 'followed' : notes.filter((note) => note.includes('followed')).join(),
    ]);
    expect(told).toEqual([
      ['keyless', 'Its changes cannot be followed: it has no key; add a primary key.'],
      ['made', 'Its changes cannot be followed: generated columns are not in the log: twice.'],
      ['none', expect.stringContaining('replica identity')],
      ['other', expect.stringContaining('replica identity')],
      ['quick', 'Its changes cannot be followed: unlogged tables are not in the log.'],
      ['seen', 'Its changes cannot be followed: only tables are in the log.'],
      ['whole', 'followed'],
    ]);
    // A table of a publication that has no replica identity could not be updated any more.
    await client.query('insert into none values (1); update none set id = 2; update keyless set n = 1');
  });

  it('takes a table that comes later in once older transactions are over', async () => {
    await client.query('create table a (id int primary key)');
    await using follower = await Follower.open(configOf(server()));
    await follower.begin();
    await client.query('create table b (id int primary key)');
    const [late, reading] = [await textClient(server()), await textClient(server())];
    await late.query('begin; insert into b values (1)');
    // Whoever only reads is not waited for.
    await reading.query('begin isolation level repeatable read; select * from a');
    let isThere = false;
    const begun = follower.begin().then((head) => {
      isThere = true;
      return head;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(isThere).toBe(false);
    await late.query('commit');
    expect(await begun).toMatchObject({ begun: ['b'] });
    await late.query('insert into b values (2)');
    await late.end();
    await reading.end();
    expect(await follower.changes()).toEqual(['insert b {"id":2}']);
  });

  it('is waited for while a former reader still holds it', async () => {
    await client.query('create table a (id int primary key)');
    await using former = await Follower.open(configOf(server()));
    await former.begin();
    const size = { rows: 1, bytes: 1000 };
    const from = former.position as NonNullable<typeof former.position>;
    const reading = former.feed
      .read({ streams: former.streams, from, follow: true, size, accept: [], signal: signal() })
      [Symbol.asyncIterator]();
    await client.query('insert into a values (1), (2)');
    expect((await reading.next()).done).toBe(false);
    await using follower = await Follower.open(configOf(server()));
    await follower.begin(from);
    setTimeout(() => void reading.return?.(undefined), 300);
    expect(await follower.changes()).toHaveLength(2);
  });
});

describeWithServer(
  'a PostgreSQL that gives up readers that say nothing',
  postgresql({ version: 15, settings: { wal_sender_timeout: '12s' } }),
  (server: () => PostgresqlServer) => {
    it('sends on to one that needs long to store what it has', async () => {
      const client = await textClient(server());
      await client.query('create table a (id int primary key, body text)');
      await using follower = await Follower.open(configOf(server()));
      await follower.begin();
      await client.query(`insert into a select g, repeat(md5(g::text), 300) from generate_series(1, 3000) g`);
      await client.end();
      const { streams, position } = follower;
      const request = { streams, follow: false, size: { rows: 500, bytes: 1 << 20 }, accept: [], signal: signal() };
      let rows = 0;
      for await (const batch of follower.feed.read({ ...request, from: position as Position })) {
        if (rows === 0) await sleep(16_000);
        if (batch.kind === 'rows') rows += batch.rows.length;
      }
      expect(rows).toBe(3000);
    });
  },
);

describeWithServer(
  'PostgreSQL without a logical log',
  postgresql({ version: 15, settings: { wal_level: 'replica' } }),
  (server: () => PostgresqlServer) => {
    it('is told by the connection test and by a sync', async () => {
      const client = await textClient(server());
      await client.query('create table a (id int primary key)');
      await client.end();
      await using follower = await Follower.open(configOf(server()));
      const report = await follower.source.check(signal());
      expect(report.passed).toBe(false);
      expect(report.steps.at(-1)).toMatchObject({ name: 'changes', state: 'failed' });
      expect(report.steps.at(-1)?.hint).toContain('wal_level');
      expect(await faultOf(() => follower.begin())).toMatchObject({ kind: 'config', code: 'no_logical_log' });
    });
  },
);
