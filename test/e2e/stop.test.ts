import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunDetails } from '../../lib/core/run';
import { Program, type Running } from '../cli/program';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, eventually, makeDatabases, PATHS } from './home';

const ROWS = 300_000;
const DIGEST = 'select count(*) as rows, sum(hashtextextended(row(id, v, updated_at)::text, 0)) as hash from';

describeWithServer('SIGTERM in mid-load', postgresql({ version: 18 }), (server) => {
  let databases: Databases;
  let program: Program;
  let running: Running | undefined;

  beforeAll(async () => {
    program = new Program();
    databases = await makeDatabases(server());
  });
  afterAll(async () => {
    running?.process.kill('SIGKILL');
    await running?.ended;
    await databases.close();
    program.remove();
  });

  const serve = async (data: string) => {
    const env = { EXPLORERIO_DESTINATION_URL: databases.targetUrl };
    running = program.start(['serve', '--port', '0', '--data', data], env);
    await running.until('Stop       Ctrl-C');
    const { url } = JSON.parse(readFileSync(join(data, 'owner.json'), 'utf8')) as { url: string };
    const request = async (path: string, body?: object) => {
      const answer = await fetch(`${url}/api${path}`, {
        ...(body && { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    return { server: running, request };
  };

  it.each(PATHS)(
    'ends within ten seconds with code 0, and the next start resumes: bulk %s',
    async (bulk) => {
      const name = `stopped_${bulk}`;
      const data = join(program.scratch, name);
      const { source, target } = databases;
      await source.query(`create schema ${name}; set search_path to ${name};
        create table t (id int primary key, v text, updated_at timestamptz not null default now());
        insert into t select g, repeat(md5(g::text), 12) from generate_series(1, ${ROWS}) g`);
      const first = await serve(data);
      await first.request('/integrations', documentOf(server(), name, { sync_settings: { bulk } }));
      const { id } = (await first.request(`/integrations/${name}/sync`, { async: true })) as { id: string };
      await eventually(async () => {
        const { rows } = await target.query(
          `select 1 as one from pg_stat_activity where query ilike 'copy %' and state = 'active'`,
        );
        return rows[0];
      });
      const start = Date.now();
      first.server.process.kill('SIGTERM');
      const ended = await first.server.ended;
      expect(Date.now() - start).toBeLessThan(patient(10_000));
      expect(ended).toMatchObject({ code: 0, signal: null });
      expect((await target.query('select to_regclass($1) as visible', [`${name}.${name}__t`])).rows).toEqual([
        { visible: null },
      ]);

      const second = await serve(data);
      const run = await eventually(async () => {
        const now = (await second.request(`/runs/${id}`)) as RunDetails;
        return now.state === 'running' ? undefined : now;
      });
      expect(run).toMatchObject({ id, state: 'succeeded' });
      second.server.process.kill('SIGTERM');
      expect(await second.server.ended).toMatchObject({ code: 0 });
      expect((await target.query(`${DIGEST} ${name}.${name}__t`)).rows).toEqual(
        (await source.query(`${DIGEST} t`)).rows,
      );
    },
    60_000,
  );
});
