import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { signedHeaders } from '../../lib/adapters/aws/signed-request';
import type { Json } from '../../lib/core/json';
import { ministack } from '../servers/ministack';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, makeDatabases } from './home';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROWS = 300_000;
const LONGEST_MS = 240_000;
const run = promisify(execFile);

interface Answer {
  readonly status: number;
  readonly body: { readonly [name: string]: Json };
}

describeWithServer('a stage deployed by the CDK CLI into an emulator', ministack(), (cloud) => {
  describeWithServer('with PostgreSQL 18', postgresql({ version: 18 }), (server) => {
    let databases: Databases;
    let folder: string;
    let outputs: { readonly [stack: string]: { readonly [name: string]: string } };

    async function cdk(...words: readonly string[]): Promise<string> {
      const context = [
        '-c',
        'stage=test',
        '-c',
        'emulated=true',
        '-c',
        'workSeconds=2',
        '-c',
        `functions=${FUNCTIONS}`,
      ];
      const command = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
      const { stdout, stderr } = await run(
        process.execPath,
        [command, ...words, ...context, '--no-notices', '--no-version-reporting', '-o', join(folder, 'out')],
        {
          cwd: ROOT,
          maxBuffer: 32 * 1024 * 1024,
          env: {
            ...process.env,
            ...cloud().environment,
            CDK_DISABLE_CLI_TELEMETRY: 'true',
            CDK_VALIDATION: 'false',
            CDK_DEFAULT_ACCOUNT: '000000000000',
          },
        },
      );
      return stdout + stderr;
    }

    const secrets = () => {
      const { url, region, credentials } = cloud();
      return new SecretsManagerClient({ endpoint: url, region, credentials });
    };

    /** What the deployment tells, by the beginning of its name. */
    function output(begin: string): string {
      for (const stack of Object.values(outputs)) {
        for (const [name, value] of Object.entries(stack)) if (name.startsWith(begin)) return value;
      }
      throw new Error(`no output begins with ${begin}: ${JSON.stringify(outputs)}`);
    }

    async function request(method: string, path: string, body?: Json): Promise<Answer> {
      const api = /^https?:\/\/([^.]+)\./.exec(output('ApiUrl'))?.[1] ?? '';
      const url = new URL(`${cloud().url}/_aws/execute-api/${api}${path}`);
      const unsigned = {
        url,
        method,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      };
      const response = await fetch(url, { ...unsigned, headers: await signedHeaders(unsigned, cloud()) });
      const text = await response.text();
      if (response.status >= 400) process.stderr.write(`${method} ${path}: ${text}\n`);
      return { status: response.status, body: JSON.parse(text || 'null') };
    }

    async function ended(id: string): Promise<Answer['body']> {
      for (const end = Date.now() + LONGEST_MS; Date.now() < end; await sleep(500)) {
        const { body } = await request('GET', `/api/runs/${id}`);
        // The function behind the API was killed, too, and one request is lost with it.
        if (body.state !== undefined && body.state !== 'running' && body.state !== 'queued') return body;
      }
      throw new Error(`run ${id} does not end: ${cloud().log().slice(-4000)}`);
    }

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'explorerio-deploy-'));
      databases = await makeDatabases(server());
      await run(process.execPath, ['build-functions.mjs', FUNCTIONS], { cwd: ROOT });
      await cdk('bootstrap', `aws://000000000000/${cloud().region}`);
      await cdk('deploy', '--all', '--require-approval', 'never', '--outputs-file', join(folder, 'outputs.json'));
      outputs = JSON.parse(readFileSync(join(folder, 'outputs.json'), 'utf8'));
      const SecretString = databases.targetUrl;
      await secrets().send(new PutSecretValueCommand({ SecretId: output('DestinationSecret'), SecretString }));
      const Name = 'explorerio/test/SOURCE_PASSWORD';
      await secrets().send(new CreateSecretCommand({ Name, SecretString: server().password }));
    }, 180_000);
    afterAll(async () => {
      await databases?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const digest = (table: string) =>
      `select count(*) as rows, sum(hashtextextended(row(id, name, made)::text, 0)) as hash from ${table}`;
    const expectEqual = async () =>
      expect((await databases.target.query(digest('crm.people'))).rows).toEqual(
        (await databases.source.query(digest('people'))).rows,
      );

    it('loads a table through the API, though its functions are killed in the middle', async () => {
      await databases.source.query(`create table public.people (id int primary key, name text, made timestamptz default now());
        insert into public.people select g, repeat(md5(g::text), 8) from generate_series(1, ${ROWS}) g`);
      const { host, port, user } = server();
      const document = {
        name: 'crm',
        type: 'postgresql',
        connection: { host, port, database: 'source', username: user, password: '${SOURCE_PASSWORD}' },
        sync_strategy: { type: 'incremental', timestamp_field: 'made' },
        sync_settings: { bulk: 'off' },
      };
      expect(await request('POST', '/api/integrations', document)).toMatchObject({ status: 201 });
      const started = await request('POST', '/api/integrations/crm/sync', { async: true });
      expect(started.status).toBe(202);
      await loading(databases);
      const killed = killFunctions(cloud().pid);
      expect(killed).toBeGreaterThan(0);
      const done = await ended(String(started.body.id));
      expect(done).toMatchObject({ state: 'succeeded' });
      await expectEqual();
    }, 300_000);

    it('answers the command line, which signs its requests', async () => {
      const api = /^https?:\/\/([^.]+)\./.exec(output('ApiUrl'))?.[1] ?? '';
      const url = `${cloud().url}/_aws/execute-api/${api}`;
      const environment = { PATH: process.env.PATH ?? '', ...cloud().environment };
      const words = ['--url', url, '--sign-region', cloud().region, '--json', 'status', 'crm'];
      const { stdout } = await run(process.execPath, ['scripts/run.mjs', 'bin/explorerio.ts', ...words], {
        cwd: ROOT,
        env: environment,
      });
      expect(stdout).toContain('"succeeded"');
    }, 60_000);

    it('brings it up to date by its schedule', async () => {
      await databases.source.query(
        "insert into public.people values (0, 'late'); update people set made = now() where id = 7",
      );
      const { body } = await request('GET', '/api/integrations/crm');
      const document = { ...(body.document as { [name: string]: Json }), sync_settings: { schedule: '* * * * *' } };
      expect(await request('PUT', '/api/integrations/crm', document)).toMatchObject({ status: 200 });
      for (const end = Date.now() + 100_000; Date.now() < end; await sleep(1000)) {
        const { rows } = await databases.target.query('select 1 from crm.people where id = 0');
        if (rows.length > 0) break;
      }
      const { body: list } = await request('GET', '/api/integrations/crm/runs');
      expect((list.runs as { trigger: string }[]).map(({ trigger }) => trigger)).toContain('schedule');
      await expectEqual();
    }, 150_000);

    it('has nothing left to deploy, and goes away', async () => {
      expect(await cdk('diff')).toContain('Number of stacks with differences: 0');
      await cdk('destroy', '--all', '--force');
    }, 120_000);
  });
});

const FUNCTIONS = '.build/functions-deploy';

/** Waits until rows have been stored. */
async function loading({ target }: Databases): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    const sql = "select 1 from crm._explorerio_positions where load <> '' and rows > 0";
    const found = await target.query(sql).catch(() => undefined);
    if (found?.rows.length) return;
  }
  throw new Error('no row was loaded within a minute');
}

/** Kills every process below the emulator that runs a function of ours; gives how many. */
function killFunctions(emulator: number): number {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch (error) {
      if (!['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
    }
  }
  const below = [...parents].filter(([pid]) => {
    for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at)) if (at === emulator) return true;
    return false;
  });
  for (const [pid] of below) process.kill(pid, 'SIGKILL');
  return below.length;
}
