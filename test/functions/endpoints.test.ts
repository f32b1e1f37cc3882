import { rmSync } from 'node:fs';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { openHome } from '../../bin/embedded';
import type { Json } from '../../lib/core/json';
import { Redactor } from '../../lib/core/secret';
import { recordingLogger } from '../contracts/recording-logger';
import { type Databases, eventually, makeDatabases, temporaryFolder, urlOf } from '../e2e/home';
import { ministack } from '../servers/ministack';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { CONTEXT, httpEvent, makeStage, sqsEvent } from './stage';

interface Answer {
  readonly status: number;
  readonly body: Json;
}

type Ask = (method: string, path: string, body?: Json) => Promise<Answer>;

/** Every path of an answer with the kind of its value; what depends on the moment is left out. */
function shape(value: Json, path = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((one) => shape(one, `${path}[]`)))];
  if (typeof value !== 'object' || value === null) return [`${path}: ${typeof value}`];
  return Object.entries(value).flatMap(([name, one]) => shape(one, `${path}.${name}`));
}

/** Differ because the homes do: a laptop rings no CloudWatch alarm, and the emulator's messages take their time. */
const OF_ONE_HOME = /queue|progress|running|attempt|retr|warnings|alerts|metrics\.|next_run/;

describeWithServer('the endpoints of the specification', ministack(), (cloud) => {
  describeWithServer('with PostgreSQL 18', postgresql({ version: 18 }), (server) => {
    let databases: Databases;
    let asks: readonly Ask[];
    let close: () => Promise<void>;
    /** Lets the functions handle their messages until the run has ended. */
    let settle: (id: string) => Promise<void>;

    beforeAll(async () => {
      databases = await makeDatabases(server());
      await databases.source.query(
        'create table public.orders (id int primary key, total int); insert into orders values (1, 2)',
      );
      const cloudTarget = urlOf(server(), 'cloud_target');
      await databases.source.query('create database cloud_target');
      const folder = temporaryFolder();
      const { log } = recordingLogger();
      const destinationUrl = databases.targetUrl;
      const home = await openHome({ dataFolder: folder, destinationUrl, env: {}, log, redactor: new Redactor() });
      await home.startWork();
      const stage = await makeStage(cloud(), cloudTarget);
      Object.assign(process.env, stage.environment, { EXPLORERIO_WORK_SECONDS: '20' });
      const api = await import('../../functions/api/handler');
      const { syncHandler } = await import('../../functions/sync/handler');
      const { loadConnector } = await import('../../lib/connectors');
      const handler = syncHandler('postgresql', () => loadConnector('postgresql'));
      const embedded: Ask = async (method, path, body) => {
        const headers = { host: '127.0.0.1:8080', ...(body !== undefined && { 'content-type': 'application/json' }) };
        const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
        const response = await home.app.request(`http://127.0.0.1:8080${path}`, init);
        return { status: response.status, body: JSON.parse((await response.text()) || 'null') };
      };
      const gateway: Ask = async (method, path, body) => {
        const event = httpEvent(method, path, body);
        const answer = (await api.handler(event, CONTEXT as never)) as APIGatewayProxyStructuredResultV2;
        return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body || 'null') };
      };
      asks = [embedded, gateway];
      settle = async (id) => {
        for (;;) {
          const { body } = await gateway('GET', `/api/runs/${id}`);
          if (!['queued', 'running'].includes((body as { readonly state: string }).state)) return;
          const records = await stage.receive(1);
          await Promise.all(records.map((record) => handler(sqsEvent([record]), CONTEXT)));
        }
      };
      close = async () => {
        await home.stop();
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      };
    }, 60_000);
    afterAll(async () => {
      await close?.();
      await databases?.close();
    });

    async function both(method: string, path: string, body?: Json): Promise<readonly Answer[]> {
      const answers: Answer[] = [];
      for (const ask of asks) answers.push(await ask(method, path, body));
      return answers;
    }

    async function expectSame(expected: number, method: string, path: string, body?: Json): Promise<readonly Answer[]> {
      const answers = await both(method, path, body);
      const [laptop = [], gateway = []] = answers.map(({ status, body: answered }) => [
        `status ${status}`,
        ...shape(answered)
          .filter((line) => !OF_ONE_HOME.test(line))
          .sort(),
      ]);
      expect(laptop[0]).toBe(`status ${expected}`);
      expect(gateway).toEqual(laptop);
      return answers;
    }

    it('answer behind API Gateway as they do on 127.0.0.1:8080', async () => {
      const { host, port, user, password } = server();
      const connection = { host, port, database: 'source', username: user, password };
      const document = { name: 'shop', type: 'postgresql', connection, enabled: true };
      await expectSame(201, 'POST', '/api/integrations', document);
      await expectSame(409, 'POST', '/api/integrations', document);
      await expectSame(422, 'POST', '/api/integrations', { ...document, name: 'wrong', conection: {} });
      const [, other] = await both('POST', '/api/integrations', { ...document, name: 'other', type: 'mysql' });
      expect(other).toMatchObject({ status: 422, body: { detail: expect.stringContaining('no function for') } });
      await both('DELETE', '/api/integrations/other');
      await expectSame(200, 'GET', '/api/integrations');
      await expectSame(200, 'GET', '/api/integrations/shop');
      const tested = await expectSame(200, 'POST', '/api/integrations/shop/test');
      for (const { body } of tested) expect(body).toMatchObject({ passed: true });
      const started = await expectSame(202, 'POST', '/api/integrations/shop/sync', { type: 'full', async: true });
      const [laptop = '', gateway = ''] = started.map(({ body }) => String((body as { readonly id: string }).id));
      await settle(gateway);
      await eventually(async () => {
        const [run] = await Promise.all([asks[0]?.('GET', `/api/runs/${laptop}`)]);
        return (run?.body as { readonly state?: string } | undefined)?.state === 'succeeded' ? true : undefined;
      });
      for (const { body } of await expectSame(200, 'GET', '/api/integrations/shop/status')) {
        expect(body).toMatchObject({ state: 'succeeded', last_run: { rows: 1 } });
      }
      await expectSame(404, 'GET', '/api/integrations/missing/status');
      await expectSame(200, 'GET', '/api/integrations/health');
      await expectSame(200, 'GET', '/api/integrations/stats');
      await expectSame(204, 'DELETE', '/api/integrations/shop');
    }, 60_000);
  });
});
