import { patient } from '../servers/patience';
import { type PostgresqlServer, postgresql, startPostgresql } from '../servers/postgresql';
import { describeWithServer, notRun } from '../servers/require';
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
import { mountSmallDisk, type SmallDisk, smallDiskUnavailable } from './small-disk';

const DIGEST =
  'select count(*) as rows, coalesce(sum(hashtextextended(row(id, v, updated_at)::text, 0)), 0) as hash from';
const TABLE = `create table t (id int primary key, v text, updated_at timestamptz not null default now());
  create index on t (updated_at)`;

describeWithServer('a destination that restarts in mid-write', postgresql({ version: 18 }), (server) => {
  let target: PostgresqlServer;
  let databases: Databases;
  let program: EndToEnd;

  beforeAll(async () => {
    // What is committed has to survive the kill of the server.
    target = await startPostgresql({ version: 15, settings: { synchronous_commit: 'on' } });
    databases = await makeDatabases(server(), target);
    program = await openEndToEnd(databases.targetUrl);
  });
  afterAll(async () => {
    await program.close();
    await databases.close();
    await target.stop();
  });

  it.each(PATHS.flatMap((bulk) => (['full', 'incremental'] as const).map((type) => [bulk, type] as const)))(
    'is waited for, and nothing is lost or doubled: bulk %s, %s',
    async (bulk, type) => {
      const name = `${type}_${bulk}`;
      const { source } = databases;
      await source.query(
        `create schema ${name}; set search_path to ${name}; ${TABLE}; insert into t values (0, 'first')`,
      );
      await program.store(documentOf(server(), name, { sync_settings: { bulk, batch_size: 5000 } }));
      await program.sync(name);
      await source.query(`insert into t select g, repeat(md5(g::text), 20) from generate_series(1, 120000) g`);
      const writing = await connect(databases.targetUrl);
      const { id } = await program.service.sync(name, { type, trigger: 'manual', whenRunning: 'refuse' });
      const busy = `select 1 as one from pg_stat_activity where datname = 'target' and query ~* '^(copy|insert)' and state = 'active'
        and pid <> pg_backend_pid()`;
      await eventually(async () => (await writing.query(busy)).rows[0]);
      await writing.end();
      await target.kill();
      expect((await program.service.run(id)).state).toBe('running');
      await target.restart();
      const run = await program.service.wait(id, AbortSignal.timeout(40_000));
      expect(faultsOf(run)).toEqual({});
      expect(run.state).toBe('succeeded');
      const stored = await connect(databases.targetUrl);
      const read = async (sql: string) => (await stored.query(sql)).rows;
      expect(await read(`${DIGEST} ${name}.${name}__t`)).toEqual((await source.query(`${DIGEST} t`)).rows);
      expect(await read(`select relname from pg_class where relname ~ '_explorerio_load_'`)).toEqual([]);
      await stored.end();
    },
    60_000,
  );
});

const onSmallDisk = () =>
  describeWithServer('a destination that fills up', postgresql({ version: 15 }), (server) => {
    let disk: SmallDisk;
    let databases: Databases;
    let program: EndToEnd;

    beforeAll(async () => {
      disk = mountSmallDisk(40);
      const admin = await connect(server().url);
      await admin.query(`create tablespace small location '${disk.folder}'`);
      await admin.end();
      databases = await makeDatabases(server(), server(), 'tablespace small');
      program = await openEndToEnd(databases.targetUrl);
    });
    afterAll(async () => {
      await program.close();
      await databases.close();
      await server().kill();
      disk.remove();
    });

    it.each(PATHS.flatMap((bulk) => (['full', 'incremental'] as const).map((type) => [bulk, type] as const)))(
      'is said to be full and waited for; what was stored stays, and all is there in the end: bulk %s, %s',
      async (bulk, type) => {
        disk.resize(40);
        const name = `${type}_${bulk}`;
        const { source, target } = databases;
        await source.query(`create schema ${name}; set search_path to ${name}; ${TABLE};
          insert into t select g, 'first' from generate_series(1, 1000) g`);
        await program.store(documentOf(server(), name, { sync_settings: { bulk } }));
        expect((await program.sync(name)).state).toBe('succeeded');
        const before = (await source.query(`${DIGEST} t`)).rows;
        // Text that cannot be compressed.
        await source.query(`insert into t select g, (select string_agg(md5((g * 100 + k)::text), '') from generate_series(1, 80) k)
          from generate_series(1001, 20000) g`);
        const { id } = await program.service.sync(name, { type, trigger: 'manual', whenRunning: 'refuse' });
        const known = program.lines.length;
        const failed = await eventually(async () =>
          program.lines.slice(known).find(({ message }) => message === 'a slice failed'),
        );
        expect(failed.fields).toMatchObject({ kind: 'transient', stream: `${name}.t` });
        expect(String(failed.fields.fault)).toMatch(/No space left on device/);
        expect((await program.service.run(id)).state).toBe('running');
        const kept = `${DIGEST} ${name}.${name}__t`;
        expect((await target.query(`${kept} where v = 'first'`)).rows).toEqual(before);
        if (type === 'full') expect((await target.query(kept)).rows).toEqual(before);
        await program.service.cancel(id);
        expect((await program.service.wait(id, AbortSignal.timeout(patient(10_000)))).state).toBe('cancelled');
        disk.resize(400);
        expect((await program.sync(name, type)).state).toBe('succeeded');
        expect((await target.query(kept)).rows).toEqual((await source.query(`${DIGEST} t`)).rows);
        expect((await target.query(`select relname from pg_class where relname ~ '_explorerio_load_'`)).rows).toEqual(
          [],
        );
        await target.query(`truncate ${name}.${name}__t`);
      },
      60_000,
    );
  });

const reason = smallDiskUnavailable();
if (reason === undefined) onSmallDisk();
else notRun('a small disk', reason, onSmallDisk);
