import { createHmac } from 'node:crypto';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { SIGNATURE_HEADER, signWebhook } from '../../lib/core/webhook-signature';
import { type Databases, eventually, makeDatabases } from '../e2e/home';
import { ministack } from '../servers/ministack';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { CONTEXT, httpEvent, makeStage, type Stage, sqsEvent } from './stage';

const PATH = '/webhooks/data-update';
/** What API Gateway passes on in base64: it is no text. */
const BYTES = Buffer.from([0, 0xff, 0xfe, 0x7b, 0x0d, 0x0a]);

describeWithServer('a webhook behind API Gateway', ministack(), (cloud) => {
  describeWithServer('with PostgreSQL 18', postgresql({ version: 18 }), (server) => {
    let databases: Databases;
    let stage: Stage;
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    let send: (event: APIGatewayProxyEventV2) => Promise<{ status: number; body: any }>;
    let work: () => Promise<void>;

    beforeAll(async () => {
      databases = await makeDatabases(server());
      await databases.source.query('create table public.orders (id int primary key); insert into orders values (1)');
      stage = await makeStage(cloud(), databases.targetUrl);
      await stage.putSecret('HOOK', 'the-first-key');
      await stage.putSecret('SOURCE_PASSWORD', server().password);
      Object.assign(process.env, stage.environment, { EXPLORERIO_WORK_SECONDS: '60' });
      const api = await import('../../functions/api/handler');
      const { syncHandler } = await import('../../functions/sync/handler');
      const { loadConnector } = await import('../../lib/connectors');
      const handler = syncHandler('postgresql', () => loadConnector('postgresql'));
      send = async (event) => {
        const answer = (await api.handler(event, CONTEXT as never)) as APIGatewayProxyStructuredResultV2;
        return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body || 'null') };
      };
      work = async () => {
        for (const record of await stage.receive(5)) await handler(sqsEvent([record]), CONTEXT);
      };
      const { host, port, user } = server();
      const connection = { host, port, database: 'source', username: user, password: '${SOURCE_PASSWORD}' };
      const document = {
        name: 'hooked',
        type: 'postgresql',
        connection,
        webhook_config: {
          endpoint: `https://hooks.company.com${PATH}`,
          authentication: { type: 'hmac_sha256', secret: '${HOOK}' },
          retry_policy: { max_attempts: 3, backoff: 'exponential' },
        },
      };
      // The first that this process hears of is another domain than the API is asked by afterwards.
      expect(await send(event(BYTES, { [SIGNATURE_HEADER]: 't=1,v1=00' }))).toMatchObject({ status: 404 });
      expect(await send(httpEvent('POST', '/api/integrations', document))).toMatchObject({ status: 201 });
    }, 60_000);
    afterAll(async () => databases?.close());

    /** A call as API Gateway passes it on, by a domain of its own. */
    function event(body: Buffer, headers: Record<string, string>, isText = false): APIGatewayProxyEventV2 {
      const { requestContext, headers: _, ...rest } = httpEvent('POST', PATH);
      const host = 'hooks.company.com';
      return {
        ...rest,
        routeKey: 'POST /webhooks/{proxy+}',
        headers: { host, 'content-type': isText ? 'application/json' : 'application/octet-stream', ...headers },
        requestContext: { ...requestContext, domainName: host },
        body: body.toString(isText ? 'utf8' : 'base64'),
        isBase64Encoded: !isText,
      };
    }
    const signed = (key: string, body = BYTES) => ({ [SIGNATURE_HEADER]: signWebhook(body, key, Date.now()) });
    const runs = async () => (await send(httpEvent('GET', '/api/integrations/hooked/runs'))).body.runs;

    it('starts nothing without a signature that is right', async () => {
      for (const headers of [{}, signed('another-key'), signed('the-first-key', Buffer.from('other'))]) {
        expect(await send(event(BYTES, headers))).toMatchObject({ status: 401, body: { code: 'signature_invalid' } });
      }
      expect(await runs()).toEqual([]);
    }, 30_000);

    it('syncs the integration, whatever the body is', async () => {
      const called = await send(event(BYTES, signed('the-first-key')));
      expect(called).toEqual({
        status: 202,
        body: { runs: [{ integration: 'hooked', run: expect.any(String), state: 'queued', joined: false }] },
      });
      const text = Buffer.from('{"name":"Zoë"}\r\n');
      const hub = createHmac('sha256', 'the-first-key').update(text).digest('hex');
      const again = await send(event(text, { 'x-hub-signature-256': `sha256=${hub}` }, true));
      expect(again.status).toBe(202);
      for (let turn = 0; turn < 20 && (await runs())[0].state !== 'succeeded'; turn++) await work();
      expect(await runs()).toMatchObject([
        { trigger: 'webhook', state: 'succeeded' },
        { trigger: 'webhook', state: 'succeeded', rows: 1, id: called.body.runs[0].run },
      ]);
      expect((await databases.target.query('select id from hooked.orders')).rows).toEqual([{ id: '1' }]);
    }, 60_000);

    it('takes up a secret that was changed while it is warm', async () => {
      const secrets = new SecretsManagerClient({});
      const id = `${stage.environment.EXPLORERIO_SECRETS_PREFIX}HOOK`;
      await secrets.send(new PutSecretValueCommand({ SecretId: id, SecretString: 'the-second-key' }));
      secrets.destroy();
      // The wrong calls of the first test may have had it asked for lately.
      const answer = await eventually(async () => {
        const called = await send(event(BYTES, signed('the-second-key')));
        return called.status === 202 ? called : undefined;
      });
      expect(answer.status).toBe(202);
      expect(await send(event(BYTES, signed('the-first-key')))).toMatchObject({ status: 401 });
    }, 60_000);
  });
});
