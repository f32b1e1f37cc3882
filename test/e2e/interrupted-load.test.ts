import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, type EndToEnd, eventually, makeDatabases, openEndToEnd } from './home';

const ROWS = 60_000;

// No room is made or taken behind the test's back.
const settings = { autovacuum: 'off' };

describeWithServer('a full load that is interrupted', postgresql({ version: 18, settings }), (server) => {
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

  it.each([
    ['full', 'with a column that could be a cursor', 'updated_at'],
    ['full', 'without one', 'made'],
    ['incremental', 'that increments follow', 'updated_at'],
  ] as const)(
    'has every row that was there all the time, whatever moved in between: %s, %s',
    async (type, what, column) => {
      const name = `${type}_${column}`;
      const { source, target } = databases;
      // Free space at the beginning: whatever is updated moves there, where the first reader has been already.
      await source.query(`create schema ${name}; set search_path to ${name};
      create table t (id int primary key, v text, ${column} timestamptz not null default now());
      insert into t select g, repeat(md5(g::text), 10) from generate_series(1, ${ROWS + 5000}) g`);
      await source.query('delete from t where id <= 5000');
      await source.query('vacuum t');
      await program.store(
        documentOf(server(), name, {
          // Many transactions, so that the interruption meets one in the middle.
          sync_settings: { bulk: 'off', batch_size: 100, parallel: 1 },
          sync_strategy: { type },
        }),
      );
      const { id } = await program.service.sync(name, { trigger: 'manual', whenRunning: 'refuse' });
      const position = `select rows from ${name}._explorerio_positions where load <> '' and rows > 5000`;
      await eventually(async () => (await target.query(position).catch(() => ({ rows: [] }))).rows[0]);
      await program.restart(async () => {
        await source.query(`update t set v = 'moved', ${column} = now() where id > ${ROWS}`);
        const [moved] = (await source.query(`select min(ctid)::text as first from t where v = 'moved'`)).rows;
        expect(moved?.first).toMatch(/^\(\d{1,2},/);
      });
      const run = await program.service.wait(id, AbortSignal.timeout(patient(20_000)));
      expect([what, run.state]).toEqual([what, 'succeeded']);
      if (type === 'incremental') expect((await program.sync(name)).state).toBe('succeeded');
      const counts = `select count(*) as rows, count(distinct id) as ids, count(*) filter (where v = 'moved') as moved from`;
      expect((await target.query(`${counts} ${name}.${name}__t`)).rows).toEqual(
        (await source.query(`${counts} t`)).rows,
      );
    },
  );
});
