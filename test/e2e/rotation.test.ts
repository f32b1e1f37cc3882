import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, type EndToEnd, eventually, makeDatabases, openEndToEnd, PATHS } from './home';

const ROWS = 200_000;
const DIGEST = 'select count(*) as rows, sum(hashtextextended(row(id, v)::text, 0)) as hash from';

describeWithServer('a password that changes in mid-load', postgresql({ version: 18 }), (server) => {
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

  it.each(PATHS)(
    'is taken from .env without a restart, and nothing is missing or twice: bulk %s',
    async (bulk) => {
      const { source, target } = databases;
      const name = `rotated_${bulk}`;
      const setPassword = async (password: string) => {
        await source.query(`alter role ${name} password '${password}'`);
        writeFileSync(join(home.dataFolder, '.env'), `READER_PASSWORD='${password}'\n`);
      };
      await source.query(`create role ${name} login; create schema ${name} authorization ${name};
      create table ${name}.t (id int primary key, v text);
      insert into ${name}.t select g, repeat(md5(g::text), 8) from generate_series(1, ${ROWS}) g;
      grant select on ${name}.t to ${name}; analyze ${name}.t`);
      await setPassword('reader-1');
      const { connection, ...document } = documentOf(server(), name, {
        sync_settings: { bulk, parallel: 2, batch_size: 500 },
      });
      await home.store({ ...document, connection: { ...connection, username: name, password: '${READER_PASSWORD}' } });
      const running = home.sync(name);
      await eventually(async () => {
        const { rows } = await source.query(
          `select 1 from pg_stat_activity where usename = '${name}' and query ~* 'copy|declare|select .* from .*\\mt\\M'`,
        );
        return rows.length > 0 ? true : undefined;
      });
      await setPassword('reader-2');
      // Whoever is in stays in, so that all must come in again.
      await source.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${name}'`);
      expect(await running).toMatchObject({ state: 'succeeded' });
      expect((await target.query(`${DIGEST} ${name}.${name}__t`)).rows).toEqual(
        (await source.query(`${DIGEST} ${name}.t`)).rows,
      );
      expect(home.lines.some(({ message }) => message.startsWith('a login was refused'))).toBe(true);
      expect(JSON.stringify(home.lines)).not.toMatch(/reader-[12]/);
    },
    90_000,
  );
});
