import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { signedHeaders } from '../../lib/adapters/aws/signed-request';
import type { Json } from '../../lib/core/json';
import { generator } from '../chaos/random';
import { ministack } from '../servers/ministack';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { processesBelow } from '../servers/process-tree';
import { describeWithServer } from '../servers/require';
import { type Databases, eventually, makeDatabases } from './home';
import { inAccount, LISTED, rawRequest } from './left-in-account';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROWS = 100_000;
/** So short that a run goes on in many messages. */
const WORK_SECONDS = 0.1;
const LONGEST_MS = patient(150_000);
/** Where kills and duplicates fall follows from it. */
const SEED = Number(process.env.DEPLOY_SEED ?? Math.floor(Math.random() * 1e6));
const LEAST_HOPS = 20;
const KILLINGS = 4;
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
        `workSeconds=${WORK_SECONDS}`,
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

    async function stateOf(id: string): Promise<Answer['body'] | undefined> {
      const { body } = await request('GET', `/api/runs/${id}`);
      // The function behind the API was killed, too, and one request is lost with it.
      return body.state === undefined || body.state === 'running' || body.state === 'queued' ? undefined : body;
    }

    /** The name of a function of the stage. */
    async function functionOf(part: string): Promise<string> {
      const { Functions } = JSON.parse(await rawRequest(cloud(), { service: 'lambda', path: '/2015-03-31/functions' }));
      const names = (Functions as { FunctionName: string }[]).map(({ FunctionName }) => FunctionName);
      return names.find((name) => name.includes(part)) ?? `none of ${names} has ${part}`;
    }

    /** What its rule does every five minutes: takes up a run whose message died with its function. */
    async function lookAfterRuns(): Promise<void> {
      const path = `/2015-03-31/functions/${await functionOf('HealthFunction')}/invocations`;
      await rawRequest(cloud(), { service: 'lambda', path, body: '{}' });
    }

    async function ended(id: string): Promise<Answer['body']> {
      for (let tries = 1, end = Date.now() + LONGEST_MS; Date.now() < end; tries++, await sleep(500)) {
        const run = await stateOf(id);
        if (run) return run;
        if (tries % 10 === 0) await lookAfterRuns();
      }
      throw new Error(`run ${id} does not end: ${cloud().log().slice(-4000)}`);
    }

    /** The queue of the connector, and a client for it. */
    async function queue(): Promise<{ readonly sqs: SQSClient; readonly QueueUrl: string }> {
      const { url, region, credentials } = cloud();
      const queues = (await inAccount(cloud(), 'queue')).filter((name) => name.includes('postgresqlMessagesQueue'));
      expect(queues).toHaveLength(1);
      const [name = ''] = queues;
      return { sqs: new SQSClient({ endpoint: url, region, credentials }), QueueUrl: name.slice('queue '.length) };
    }

    /** Sends to the queue of the connector what it knows already. */
    async function send(body: Json, times: number): Promise<void> {
      const { sqs, QueueUrl } = await queue();
      const message = { QueueUrl, MessageBody: JSON.stringify(body), MessageGroupId: 'crm' };
      await Promise.all(Array.from({ length: times }, () => sqs.send(new SendMessageCommand(message))));
    }

    /** Whether the queue holds a message that nobody has taken; those of killed functions stay hidden for long. */
    async function isEmpty(): Promise<true | undefined> {
      const { sqs, QueueUrl } = await queue();
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed'] as const;
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }));
      return names.every((name) => Attributes?.[name] === '0') ? true : undefined;
    }

    /** How many messages led to each one that has been worked on, each sent by the one before. */
    const hops = () =>
      [
        ...cloud()
          .log()
          .matchAll(/"hop":(\d+)/g),
      ].map(([, hop]) => Number(hop));

    /** Sends messages of the run again, now and then, and kills functions once it has gone on often enough. */
    async function harass(id: string): Promise<{ readonly kills: number; readonly duplicates: number }> {
      const random = generator(SEED);
      let [kills, duplicates, killings] = [0, 0, 0];
      while (killings < KILLINGS && !(await stateOf(id))) {
        await sleep(500 + random() * 2000);
        const times = Math.floor(random() * 3);
        await send({ run: id }, times);
        duplicates += times;
        if (Math.max(...hops()) < LEAST_HOPS) continue;
        kills += killFunctions(cloud().pid, () => random() < 0.7);
        killings++;
      }
      return { kills, duplicates };
    }

    const runsOf = async () => {
      const { body } = await request('GET', '/api/integrations/crm/runs');
      return body.runs as unknown as readonly {
        readonly id: string;
        readonly trigger: string;
        readonly state: string;
      }[];
    };

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

    it(`loads a table in many slices, though functions are killed and messages doubled (DEPLOY_SEED=${SEED})`, async () => {
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
      const id = String(started.body.id);
      const { kills, duplicates } = await harass(id);
      const done = await ended(id);
      process.stderr.write(
        `${kills} kills, ${duplicates} duplicates, ${Math.max(...hops())} hops, ${hops().length} messages\n`,
      );
      expect(kills).toBeGreaterThan(2);
      expect(duplicates).toBeGreaterThan(2);
      expect(Math.max(...hops())).toBeGreaterThanOrEqual(LEAST_HOPS);
      expect(done).toMatchObject({ state: 'succeeded' });
      await expectEqual();
      // Messages of a run that has ended change nothing.
      await send({ run: id }, 3);
      expect(await runsOf()).toHaveLength(1);
    }, 600_000);

    it('answers the command line, which finds it by its stacks and signs its requests', async () => {
      const env = { PATH: process.env.PATH ?? '', ...cloud().environment };
      const explorerio = async (...words: readonly string[]) => {
        const command = ['scripts/run.mjs', 'bin/explorerio.ts', '--stage', 'test', '--json', ...words];
        return (await run(process.execPath, command, { cwd: ROOT, env })).stdout;
      };
      expect(await explorerio('status', 'crm')).toContain('"succeeded"');
      const file = join(folder, 'moved.json');
      expect(JSON.parse(await explorerio('state', 'export', file))).toEqual({ file, integrations: ['crm'] });
    }, 60_000);

    it('brings it up to date by its schedule', async () => {
      await databases.source.query(
        "insert into public.people values (0, 'late'); update people set made = now() where id = 7",
      );
      const { body } = await request('GET', '/api/integrations/crm');
      const document = { ...(body.document as { [name: string]: Json }), sync_settings: { schedule: '* * * * *' } };
      expect(await request('PUT', '/api/integrations/crm', document)).toMatchObject({ status: 200 });
      for (const end = Date.now() + patient(100_000); Date.now() < end; await sleep(1000)) {
        const { rows } = await databases.target.query('select 1 from crm.people where id = 0');
        if (rows.length > 0) break;
      }
      const { body: list } = await request('GET', '/api/integrations/crm/runs');
      expect((list.runs as { trigger: string }[]).map(({ trigger }) => trigger)).toContain('schedule');
      await expectEqual();
    }, 150_000);

    it('takes a tick that comes many times for one', async () => {
      const { body } = await request('GET', '/api/integrations/crm');
      const { sync_settings: _, ...document } = body.document as { [name: string]: Json };
      expect(await request('PUT', '/api/integrations/crm', document)).toMatchObject({ status: 200 });
      const idle = async () => ((await runsOf()).every(({ state }) => state === 'succeeded') ? true : undefined);
      await eventually(idle, 60_000);
      const before = (await runsOf()).length;
      await databases.source.query("insert into public.people values (-1, 'later')");
      const minuteAgo = new Date(Math.floor(Date.now() / 60_000 - 1) * 60_000).toISOString().replace('.000', '');
      await send({ schedule: 'crm', at: minuteAgo }, 20);
      await eventually(async () => ((await runsOf()).length > before ? true : undefined), 30_000);
      await eventually(idle, 60_000);
      await eventually(isEmpty, 30_000);
      await eventually(idle, 60_000);
      expect(await runsOf()).toHaveLength(before + 1);
      await expectEqual();
    }, 150_000);

    it('takes up again what ended in the dead letters, by the command line', async () => {
      const { sqs } = await queue();
      const queues = await inAccount(cloud(), 'queue');
      const QueueUrl = queues.find((name) => name.includes('postgresqlMessagesDeadLetters'))?.slice('queue '.length);
      const letter = { schedule: 'crm', at: '2026-01-01T00:00:00Z' };
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(letter) }));
      await databases.source.query("insert into public.people values (-2, 'brought back')");
      const env = { PATH: process.env.PATH ?? '', ...cloud().environment };
      const command = ['scripts/run.mjs', 'bin/explorerio.ts', '--stage', 'test', '--json', 'runs', 'redrive'];
      const { stdout } = await run(process.execPath, command, { cwd: ROOT, env });
      const [result, ...others] = JSON.parse(stdout).letters;
      expect(result).toMatchObject({ integration: 'crm', outcome: 'started', started: expect.any(String) });
      expect(others).toEqual([]);
      expect(await ended(result.started)).toMatchObject({ state: 'succeeded', trigger: 'schedule' });
      await expectEqual();
    }, 60_000);

    it('has nothing left to deploy, and leaves behind only what it says', async () => {
      const { body } = await request('GET', '/api/integrations/crm');
      const document = { ...(body.document as { [name: string]: Json }), sync_settings: { schedule: '0 0 1 1 *' } };
      expect(await request('PUT', '/api/integrations/crm', document)).toMatchObject({ status: 200 });
      expect(await cdk('diff')).toContain('Number of stacks with differences: 0');
      const kinds = new Set((await inAccount(cloud())).map((name) => name.slice(0, name.lastIndexOf(' '))));
      expect([...kinds].sort()).toEqual([...LISTED].sort());
      await cdk('destroy', '--all', '--force');
      // What bootstrapping made and what was made by hand; of ours only the bucket of access logs.
      const left = (await inAccount(cloud())).filter((name) => !/cdk-hnb659fds|^stack CDKToolkit$/.test(name));
      expect(left).toEqual([
        expect.stringMatching(/^bucket explorerio-test-state-accesslog/),
        'schedule group default',
        'secret explorerio/test/SOURCE_PASSWORD',
      ]);
    }, 120_000);
  });
});

const FUNCTIONS = '.build/functions-deploy';

/** Kills those processes below the emulator that `chosen` wants: all run functions of ours. Gives how many. */
function killFunctions(emulator: number, chosen: () => boolean): number {
  const victims = processesBelow(emulator).filter(chosen);
  for (const pid of victims) process.kill(pid, 'SIGKILL');
  return victims.length;
}
