import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyStructuredResultV2, Context, SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { RunDetails } from '../../lib/core/run';
import { generator } from '../chaos/random';
import { type Databases, eventually, makeDatabases } from '../e2e/home';
import { ministack } from '../servers/ministack';
import { patient } from '../servers/patience';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type SleepingProxy, sleepingProxy } from './sleeping-proxy';
import { CONTEXT, httpEvent, makeStage, type Stage, sqsEvent } from './stage';
import { type ThrottlingProxy, throttlingProxy } from './throttling-proxy';

const ROWS = 20_000;
const LONGEST_RUN_MS = patient(90_000);
const SEED = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 1e6));

type Handler = (record: SQSRecord, context?: Context) => Promise<SQSBatchResponse>;
type Runs = { readonly runs: readonly { readonly id: string; readonly trigger: string; readonly state: string }[] };

describeWithServer('functions in a stage where things go wrong', ministack(), (cloud) => {
  describeWithServer('with PostgreSQL 18', postgresql({ version: 18 }), (server) => {
    let databases: Databases;
    let stage: Stage;
    let table: ThrottlingProxy;
    let destination: SleepingProxy;
    let request: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;
    /** A new function instance that works for so many seconds. */
    let start: (workSeconds: number) => Handler;

    beforeAll(async () => {
      databases = await makeDatabases(server());
      destination = await sleepingProxy(server());
      stage = await makeStage(cloud(), destination.throughProxy(databases.targetUrl));
      table = await throttlingProxy(cloud().url);
      Object.assign(process.env, stage.environment, { AWS_ENDPOINT_URL_DYNAMODB: table.url });
      const api = await import('../../functions/api/handler');
      const { syncHandler } = await import('../../functions/sync/handler');
      const { loadConnector } = await import('../../lib/connectors');
      request = async (method, path, body) => {
        const event = httpEvent(method, path, body);
        const answer = (await api.handler(event, CONTEXT as never)) as APIGatewayProxyStructuredResultV2;
        return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body || 'null') };
      };
      start = (workSeconds) => {
        const handler = syncHandler('postgresql', () => loadConnector('postgresql'));
        return async (record, context = CONTEXT) => {
          process.env.EXPLORERIO_WORK_SECONDS = String(workSeconds);
          return (await handler(sqsEvent([record]), context)) as SQSBatchResponse;
        };
      };
      await stage.putSecret('SOURCE_PASSWORD', server().password);
    }, 60_000);
    afterAll(async () => {
      delete process.env.AWS_ENDPOINT_URL_DYNAMODB;
      await table?.close();
      await destination?.close();
      await databases?.close();
    });

    /** Makes a table of its own, and an integration that reads it. */
    async function integration(name: string, rows = ROWS): Promise<void> {
      await databases.source.query(`create table public.${name} (id int primary key, name text, made timestamptz default now());
        insert into public.${name} select g, repeat(md5(g::text), 4), now() - g * interval '1 ms' from generate_series(1, ${rows}) g`);
      const { host, port, user } = server();
      const document = {
        name,
        type: 'postgresql',
        connection: { host, port, database: 'source', username: user, password: '${SOURCE_PASSWORD}' },
        tables: [name],
        sync_strategy: { type: 'incremental', timestamp_field: 'made' },
        sync_settings: { bulk: 'off', parallel: 2 },
      };
      expect(await request('POST', '/api/integrations', document)).toMatchObject({ status: 201 });
    }

    async function sync(name: string): Promise<string> {
      const { status, body } = await request('POST', `/api/integrations/${name}/sync`, {
        type: 'incremental',
        async: true,
      });
      expect(status).toBe(202);
      return (body as { readonly id: string }).id;
    }

    const runOf = async (id: string) => (await request('GET', `/api/runs/${id}`)).body as RunDetails;
    const isOver = ({ state }: RunDetails) => state !== undefined && !['queued', 'running'].includes(state);

    /** Delivers what the queue holds until the run has ended; gives the run and the invocations. */
    async function work(id: string, deliver: (record: SQSRecord) => Promise<SQSBatchResponse>) {
      for (let invocations = 0, end = Date.now() + LONGEST_RUN_MS; Date.now() < end; ) {
        const run = await runOf(id);
        if (isOver(run)) return { run, invocations };
        const records = await stage.receive(2);
        invocations += records.length;
        await Promise.all(records.map((record) => deliver(record)));
      }
      throw new Error(`run ${id} does not end: ${JSON.stringify(await runOf(id))}`);
    }

    const digest = (name: string) =>
      `select count(*) as rows, sum(hashtextextended(row(id, name, made)::text, 0)) as hash from ${name}`;
    const expectEqual = async (name: string) =>
      expect((await databases.target.query(digest(`${name}.${name}`))).rows).toEqual(
        (await databases.source.query(digest(`public.${name}`))).rows,
      );

    /** Waits until a part of a load is stored. */
    async function rowsAre(name: string): Promise<void> {
      const sql = `select 1 from ${name}._explorerio_positions where load <> '' and rows > 0`;
      await eventually(async () => (await databases.target.query(sql).catch(() => undefined))?.rows[0]);
    }

    it(`take messages in any order, and old ones when the run has ended (FAULTS_SEED=${SEED})`, async () => {
      const random = generator(SEED);
      await integration('disorder');
      const handle = start(0.05);
      const id = await sync('disorder');
      const seen: SQSRecord[] = [];
      const { run } = await work(id, async (record) => {
        seen.push(record);
        // Any that came before, again, before or behind the new one: its receipt is outdated by then.
        const old = seen[Math.floor(random() * seen.length)] ?? record;
        const [first, second] = random() < 0.5 ? [old, record] : [record, old];
        await handle(first);
        return handle(second);
      });
      expect(run).toMatchObject({ state: 'succeeded', rows: ROWS });
      expect(seen.length).toBeGreaterThan(5);
      await databases.source.query("update public.disorder set name = 'x', made = now() where id = 1");
      const next = await sync('disorder');
      // All messages of the run that has ended come while the next one waits for its turn, the newest first.
      for (const record of seen.reverse()) expect(await handle(record)).toEqual({ batchItemFailures: [] });
      expect(await runOf(id)).toEqual(run);
      expect((await work(next, handle)).run).toMatchObject({ state: 'succeeded', rows: 1 });
      await expectEqual('disorder');
    }, 120_000);

    it('take old ticks after newer ones, each for one run at most', async () => {
      await integration('ticks', 100);
      const handle = start(0.5);
      const tick = (at: string) =>
        ({
          messageId: at,
          receiptHandle: 'none',
          body: JSON.stringify({ schedule: 'ticks', at }),
          attributes: { ApproximateReceiveCount: '1' },
        }) as unknown as SQSRecord;
      const [older, newer] = ['2026-11-25T02:00:00Z', '2026-11-25T03:00:00Z'].map(tick) as [SQSRecord, SQSRecord];
      const runs = async () => ((await request('GET', '/api/integrations/ticks/runs')).body as Runs).runs;
      for (const record of [newer, older, newer]) expect(await handle(record)).toEqual({ batchItemFailures: [] });
      // While the newer one's run goes on, the older one has nothing to add.
      const [first, ...others] = await runs();
      expect(others).toEqual([]);
      expect((await work(first?.id ?? '', handle)).run).toMatchObject({ state: 'succeeded' });
      for (const record of [older, newer, older]) expect(await handle(record)).toEqual({ batchItemFailures: [] });
      const [second] = await runs();
      await work(second?.id ?? '', handle);
      for (const record of [older, newer]) await handle(record);
      expect((await runs()).map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
      await expectEqual('ticks');
    }, 60_000);

    it(`go on though the table takes only some requests (FAULTS_SEED=${SEED})`, async () => {
      const random = generator(SEED);
      await integration('throttled', 10_000);
      const handle = start(0.5);
      const id = await sync('throttled');
      const before = table.refused;
      try {
        const { run } = await work(id, async (record) => {
          table.refuseWhen(() => random() < 0.25);
          return handle(record);
        });
        expect(run).toMatchObject({ state: 'succeeded' });
      } finally {
        table.refuseWhen(() => false);
      }
      expect(table.refused - before).toBeGreaterThan(20);
      await expectEqual('throttled');
    }, 120_000);

    // The SDK tries again for some seconds; after that the message comes back.
    it.each([5, 15])(
      'go on after the table took nothing for %i seconds',
      async (seconds) => {
        const name = `burst_${seconds}`;
        await integration(name, 100_000);
        const handle = start(1);
        const id = await sync(name);
        const before = table.refused;
        let until = 0;
        let failed = 0;
        const { run } = await work(id, async (record) => {
          if (until === 0) {
            until = Date.now() + 300 + seconds * 1000;
            setTimeout(() => table.refuseWhen(() => Date.now() < until), 300);
          }
          const answer = await handle(record);
          failed += answer.batchItemFailures.length;
          return answer;
        });
        expect(table.refused - before).toBeGreaterThan(5);
        if (seconds > 10) expect(failed).toBeGreaterThan(0);
        expect(run).toMatchObject({ state: 'succeeded' });
        await expectEqual(name);
      },
      120_000,
    );

    it.each(['first', 'second'])(
      'wait for a destination that is asleep: %s',
      async (which) => {
        const name = `asleep_${which}`;
        await integration(name, 100_000);
        const handle = start(1);
        const before = { ...destination.turnedAway };
        const someone = (sleeping: 'starting' | 'silent') => async () =>
          destination.turnedAway[sleeping] > before[sleeping] ? true : undefined;
        const sleepWell = async () => {
          await destination.become('refusing');
          await sleep(2000);
          await destination.become('starting');
          await eventually(someone('starting'));
          await destination.become('silent');
          await eventually(someone('silent'));
          await sleep(4000);
          await destination.become('awake');
        };
        let asleep: Promise<void> | undefined = which === 'first' ? sleepWell() : undefined;
        const id = await sync(name);
        try {
          const { run } = await work(id, async (record) => {
            asleep ??= rowsAre(name).then(sleepWell);
            const answer = await handle(record);
            expect(answer).toEqual({ batchItemFailures: [] });
            return answer;
          });
          expect(run).toMatchObject({ state: 'succeeded' });
        } finally {
          await asleep;
        }
        await expectEqual(name);
      },
      120_000,
    );

    it(`go on when their time ends in the middle of a slice (FAULTS_SEED=${SEED})`, async () => {
      const random = generator(SEED);
      await integration('short', 300_000);
      const handle = start(240);
      const id = await sync('short');
      const { run, invocations } = await work(id, (record) => {
        // Twenty seconds before its end a function stops.
        const end = Date.now() + 20_000 + 300 + random() * 600;
        return handle(record, { getRemainingTimeInMillis: () => end - Date.now() } as Context);
      });
      expect(run).toMatchObject({ state: 'succeeded' });
      expect(invocations).toBeGreaterThan(3);
      await expectEqual('short');
    }, 120_000);
  });
});
