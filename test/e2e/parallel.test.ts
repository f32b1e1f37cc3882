import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, type EndToEnd, faultsOf, makeDatabases, openEndToEnd, PATHS } from './home';

describeWithServer('more slices than connections', postgresql({ version: 18 }), (server) => {
  let databases: Databases;
  let program: EndToEnd;

  beforeAll(async () => {
    databases = await makeDatabases(server());
    program = await openEndToEnd(databases.targetUrl);
    await databases.source.query('create schema shop; set search_path to shop');
    for (let number = 0; number < 6; number++) {
      await databases.source.query(`create table t${number} (id int primary key, v text, updated_at timestamptz not null default now());
        create index on t${number} (updated_at); insert into t${number} select g, repeat('x', 500) from generate_series(1, 2000) g`);
    }
  });
  afterAll(async () => {
    await program.close();
    await databases.close();
  });

  it.each(PATHS.flatMap((bulk) => [1, 2, 4].map((most) => [bulk, most] as const)))(
    'end all the same, by bulk %s over %i',
    async (bulk, most) => {
      const document = documentOf(server(), 'shop', { sync_settings: { bulk, parallel: 8 } });
      await program.store({ ...document, connection: { ...document.connection, max_connections: most } });
      for (const type of ['full', 'incremental'] as const) {
        for (let number = 0; number < 6; number++)
          await databases.source.query(`update t${number} set updated_at = now()`);
        const { id } = await program.service.sync('shop', { type, trigger: 'manual', whenRunning: 'refuse' });
        const run = await program.service.wait(id, AbortSignal.timeout(patient(10_000)));
        if (run.state === 'running') await program.service.cancel(id);
        expect(faultsOf(run)).toEqual({});
        expect(run).toMatchObject({ state: 'succeeded', rows: 12_000 });
      }
    },
  );
});
