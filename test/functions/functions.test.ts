import type { APIGatewayProxyStructuredResultV2, SQSBatchResponse, SQSRecord } from 'aws-lambda';
import type { RunDetails } from '../../lib/core/run';
import { type Databases, makeDatabases } from '../e2e/home';
import { ministack } from '../servers/ministack';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { CONTEXT, httpEvent, makeStage, type Stage, sqsEvent } from './stage';

const ROWS = 100_000;
/** Enough for many slices of one batch. */
const FEW = 20_000;

describeWithServer('functions in a stage made by hand', ministack(), (cloud) => {
  describeWithServer('with PostgreSQL 18', postgresql({ version: 18 }), (server) => {
    let databases: Databases;
    let stage: Stage;
    let request: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;
    let sync: (records: readonly SQSRecord[]) => Promise<SQSBatchResponse>;
    let health: () => Promise<void>;

    beforeAll(async () => {
      databases = await makeDatabases(server());
      stage = await makeStage(cloud(), databases.targetUrl);
      Object.assign(process.env, stage.environment);
      const api = await import('../../functions/api/handler');
      const { syncHandler } = await import('../../functions/sync/handler');
      const checks = await import('../../functions/health/handler');
      const { loadConnector } = await import('../../lib/connectors');
      const handler = syncHandler('postgresql', () => loadConnector('postgresql'));
      request = async (method, path, body) => {
        const answer = (await api.handler(
          httpEvent(method, path, body),
          CONTEXT as never,
        )) as APIGatewayProxyStructuredResultV2;
        return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body || 'null') };
      };
      sync = async (records) => (await handler(sqsEvent(records), CONTEXT)) as SQSBatchResponse;
      health = async () => void (await checks.handler({}, CONTEXT));
    }, 60_000);
    afterAll(async () => databases?.close());

    /** Works off the queue until the run has ended; gives how many invocations that took. */
    async function work(run: string, between?: (records: readonly SQSRecord[]) => Promise<void>) {
      for (let invocations = 0; invocations < 200; invocations++) {
        const { body } = await request('GET', `/api/runs/${run}`);
        const details = body as RunDetails;
        if (!['queued', 'running'].includes(details.state)) return { run: details, invocations };
        const records = await stage.receive(2);
        await between?.(records);
        // Each record is an invocation of its own: batch size 1.
        const answers = await Promise.all(records.map((record) => sync([record])));
        expect(answers.flatMap(({ batchItemFailures }) => batchItemFailures)).toEqual([]);
      }
      throw new Error('the run does not end');
    }

    const digest = (table: string) =>
      `select count(*) as rows, sum(hashtextextended(row(id, name, made)::text, 0)) as hash from ${table}`;

    it('sync many rows in many short slices, with duplicate messages, and an integration made through the API', async () => {
      const { source, target } = databases;
      await source.query(`create table public.people (id int primary key, name text, made timestamptz default now());
        insert into public.people select g, repeat(md5(g::text), 8) from generate_series(1, ${ROWS}) g`);
      const { host, port, user, password } = server();
      await stage.putSecret('SOURCE_PASSWORD', password);
      const document = {
        name: 'crm',
        type: 'postgresql',
        schemas: ['public'],
        connection: { host, port, database: 'source', username: user, password: '${SOURCE_PASSWORD}' },
        sync_strategy: { type: 'incremental', timestamp_field: 'made' },
        sync_settings: { bulk: 'off', parallel: 2, schedule: '0 2 * * *' },
      };
      expect(await request('POST', '/api/integrations', document)).toMatchObject({ status: 201 });
      const started = await request('POST', '/api/integrations/crm/sync', { type: 'incremental', async: true });
      expect(started).toMatchObject({ status: 202 });
      const id = (started.body as { readonly id: string }).id;
      const { run, invocations } = await work(id, async (records) => {
        // A message that comes twice at the same time.
        if (records.length === 1 && records[0]) await sync(records);
      });
      expect(run).toMatchObject({ state: 'succeeded', rows: ROWS });
      expect(invocations).toBeGreaterThanOrEqual(20);
      expect((await target.query(digest('crm.people'))).rows).toEqual((await source.query(digest('people'))).rows);
      expect(await request('GET', '/api/integrations/crm/status')).toMatchObject({
        status: 200,
        body: { state: 'succeeded', next_run: expect.stringMatching(/T02:00:00/) },
      });
    }, 120_000);

    it('read a table without a cursor, which takes longer than a function may, in the order of its key', async () => {
      const { source, target } = databases;
      await source.query(`create schema plain; create table plain.people (id int primary key, name text, made timestamptz default now());
        insert into plain.people select g, repeat(md5(g::text), 8) from generate_series(1, ${FEW}) g`);
      const { host, port, user } = server();
      const connection = { host, port, database: 'source', username: user, password: '${SOURCE_PASSWORD}' };
      const document = {
        name: 'plain',
        type: 'postgresql',
        schemas: ['plain'],
        connection,
        sync_settings: { mode: 'full' },
      };
      expect(await request('POST', '/api/integrations', document)).toMatchObject({ status: 201 });
      const { body } = await request('POST', '/api/integrations/plain/sync', { async: true });
      const { run, invocations } = await work((body as { readonly id: string }).id);
      expect(run).toMatchObject({ state: 'succeeded', rows: FEW });
      expect(run.streams[0]?.notes.join()).toMatch(/in the order of its key/);
      expect(invocations).toBeGreaterThanOrEqual(10);
      const stored = (await target.query(digest('plain.plain__people'))).rows;
      expect(stored).toEqual((await source.query(digest('plain.people'))).rows);
    }, 120_000);

    it('start a run at a tick of a schedule, once for one time', async () => {
      await databases.source.query("insert into public.people values (0, 'late')");
      const at = '2026-11-25T02:00:00Z';
      const tick = (messageId: string) => ({
        messageId,
        receiptHandle: 'none',
        body: JSON.stringify({ schedule: 'crm', at }),
        attributes: { ApproximateReceiveCount: '1' },
      });
      const records = ['one', 'two'].map(tick) as unknown as SQSRecord[];
      for (const record of records) expect(await sync([record])).toEqual({ batchItemFailures: [] });
      const { body } = await request('GET', '/api/integrations/crm/runs');
      const runs = (body as { readonly runs: readonly { readonly id: string; readonly trigger: string }[] }).runs;
      const scheduled = runs.filter(({ trigger }) => trigger === 'schedule');
      expect(scheduled).toHaveLength(1);
      const { run } = await work(scheduled[0]?.id ?? '');
      expect(run).toMatchObject({ state: 'succeeded', rows: 1 });
    }, 60_000);

    it('give a message back that they cannot handle, and leave the others alone', async () => {
      const record = {
        messageId: 'm',
        receiptHandle: 'r',
        body: '{"what":1}',
        attributes: { ApproximateReceiveCount: '1' },
      };
      expect(await sync([record as unknown as SQSRecord])).toEqual({ batchItemFailures: [{ itemIdentifier: 'm' }] });
    });

    it('end a run whose message was received too often, and the next one goes on', async () => {
      const { body } = await request('POST', '/api/integrations/crm/sync', { type: 'incremental', async: true });
      const { id } = body as { readonly id: string };
      const [message] = await stage.receive(1);
      await stage.bury(JSON.parse(message?.body ?? '{}'));
      await health();
      const { body: details } = await request('GET', `/api/runs/${id}`);
      expect(details).toMatchObject({ state: 'failed', fault: { code: 'dead_letter', hint: expect.any(String) } });
      const next = await request('POST', '/api/integrations/crm/sync', { type: 'incremental', async: true });
      const { run } = await work((next.body as { readonly id: string }).id);
      expect(run).toMatchObject({ state: 'succeeded' });
    }, 60_000);

    it('bring back by redriving what ended in the dead letters, once', async () => {
      const { source, target } = databases;
      await source.query("update public.people set name = 'changed', made = now() where id between 1 and 300");
      const { body } = await request('POST', '/api/integrations/crm/sync', { type: 'incremental', async: true });
      const { id } = body as { readonly id: string };
      const [message] = await stage.receive(1);
      await stage.bury(JSON.parse(message?.body ?? '{}'));
      await stage.bury({ schedule: 'crm', at: '2026-11-25T03:00:00Z' });
      await stage.bury({ what: 1 });
      await health();
      expect((await request('GET', `/api/runs/${id}`)).body).toMatchObject({ state: 'failed' });
      const redriven = await request('POST', '/api/runs/redrive', { integration: 'crm' });
      const { letters } = redriven.body as { readonly letters: readonly { run?: string; started?: string }[] };
      // The letter of the test before, too, is still there; its run was ended as failed.
      const started = letters.find(({ run }) => run === id)?.started ?? '';
      expect(letters).toContainEqual({
        integration: 'crm',
        run: id,
        outcome: 'started',
        started,
        note: expect.anything(),
      });
      for (const letter of letters) {
        if (letter.started !== undefined)
          expect((await work(letter.started)).run).toMatchObject({ state: 'succeeded' });
      }
      expect((await target.query(digest('crm.people'))).rows).toEqual((await source.query(digest('people'))).rows);
      const again = await request('POST', '/api/runs/redrive');
      expect(again).toMatchObject({ status: 200, body: { letters: [{ outcome: 'kept' }] } });
    }, 60_000);

    it('test the connections that are due, and the API tells what they showed', async () => {
      const { body } = await request('GET', '/api/integrations/crm');
      const { document } = body as { readonly document: object };
      const tested = { ...document, health_checks: { enabled: true } };
      expect(await request('PUT', '/api/integrations/crm', tested)).toMatchObject({ status: 200 });
      await health();
      expect((await request('GET', '/api/integrations/crm/status')).body).toMatchObject({
        connection_status: 'connected',
        health_check: { state: 'passed', recent: [{ passed: true, attempts: 1 }] },
      });
    }, 60_000);

    it('take up a run whose message was lost', async () => {
      const { body } = await request('POST', '/api/integrations/crm/sync', { type: 'incremental', async: true });
      const [lost] = await stage.receive(1);
      expect(JSON.parse(lost?.body ?? '{}')).toMatchObject({ run: (body as { readonly id: string }).id });
      await health();
      expect((await work((body as { readonly id: string }).id)).run).toMatchObject({ state: 'succeeded' });
    }, 60_000);
  });
});
