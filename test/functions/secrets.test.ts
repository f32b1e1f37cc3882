import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { APIGatewayProxyStructuredResultV2, SQSBatchResponse } from 'aws-lambda';
import type { RunDetails } from '../../lib/core/run';
import { type Databases, makeDatabases } from '../e2e/home';
import { ministack } from '../servers/ministack';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { CONTEXT, httpEvent, makeStage, type Stage, sqsEvent } from './stage';

describeWithServer('secrets that change while functions are warm', ministack(), (cloud) => {
  describeWithServer('with PostgreSQL 18', postgresql({ version: 18 }), (server) => {
    let databases: Databases;
    let stage: Stage;
    let secrets: SecretsManagerClient;
    let request: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;
    let sync: (event: ReturnType<typeof sqsEvent>) => Promise<SQSBatchResponse>;

    beforeAll(async () => {
      databases = await makeDatabases(server());
      const { source, target } = databases;
      await source.query(`create table public.people (id int primary key); insert into public.people values (1), (2);
        create role reader login password 'reader-1'; grant select on public.people to reader;
        create role loader login password 'loader-1'`);
      await target.query('grant create on database target to loader');
      stage = await makeStage(cloud(), urlOfTarget('loader-1'));
      await stage.putSecret('READER_PASSWORD', 'reader-1');
      secrets = new SecretsManagerClient({});
      Object.assign(process.env, stage.environment, { EXPLORERIO_WORK_SECONDS: '60' });
      const api = await import('../../functions/api/handler');
      const { syncHandler } = await import('../../functions/sync/handler');
      const { loadConnector } = await import('../../lib/connectors');
      const handler = syncHandler('postgresql', () => loadConnector('postgresql'));
      sync = async (event) => (await handler(event, CONTEXT)) as SQSBatchResponse;
      request = async (method, path, body) => {
        const event = httpEvent(method, path, body);
        const answer = (await api.handler(event, CONTEXT as never)) as APIGatewayProxyStructuredResultV2;
        return { status: answer.statusCode ?? 0, body: JSON.parse(answer.body || 'null') };
      };
      const { host, port } = server();
      const connection = { host, port, database: 'source', username: 'reader', password: '${READER_PASSWORD}' };
      const document = { name: 'crm', type: 'postgresql', connection, sync_strategy: { type: 'full' } };
      expect(await request('POST', '/api/integrations', document)).toMatchObject({ status: 201 });
      expect(await run()).toMatchObject({ state: 'succeeded', rows: 2 });
    }, 60_000);
    afterAll(async () => {
      secrets?.destroy();
      await databases?.close();
    });

    const urlOfTarget = (password: string) =>
      `postgresql://loader:${password}@${server().host}:${server().port}/target`;

    const put = (id: string, value: string, versions?: string[]) =>
      secrets.send(
        new PutSecretValueCommand({ SecretId: id, SecretString: value, ...(versions && { VersionStages: versions }) }),
      );
    const putPassword = (value: string, versions?: string[]) =>
      put(`${stage.environment.EXPLORERIO_SECRETS_PREFIX}READER_PASSWORD`, value, versions);
    const putDestination = (password: string, versions?: string[]) =>
      put(stage.environment.EXPLORERIO_DESTINATION_SECRET, urlOfTarget(password), versions);
    const change = (role: string, password: string) =>
      databases.source.query(`alter role ${role} password '${password}'`);

    async function run(): Promise<RunDetails> {
      const { body } = await request('POST', '/api/integrations/crm/sync', { type: 'full', async: true });
      const { id } = body as { readonly id: string };
      for (let invocations = 0; invocations < 50; invocations++) {
        const details = (await request('GET', `/api/runs/${id}`)).body as RunDetails;
        if (!['queued', 'running'].includes(details.state)) return details;
        for (const record of await stage.receive(2))
          expect(await sync(sqsEvent([record]))).toEqual({ batchItemFailures: [] });
      }
      throw new Error(`the run does not end: ${JSON.stringify((await request('GET', `/api/runs/${id}`)).body)}`);
    }

    it.each([
      ['the source', 'reader', putPassword],
      ['the destination', 'loader', putDestination],
    ])(
      'are taken up when the password of %s was rotated',
      async (_whose, role, putNew) => {
        await change(role, `${role}-2`);
        await putNew(`${role}-2`);
        expect(await request('POST', '/api/integrations/crm/test')).toMatchObject({
          status: 200,
          body: { passed: true },
        });
        expect(await run()).toMatchObject({ state: 'succeeded', rows: 2 });
      },
      30_000,
    );

    it.each([
      ['the source', 'reader', putPassword],
      ['the destination', 'loader', putDestination],
    ])(
      'are taken from AWSPENDING while a rotation of the password of %s is under way',
      async (_whose, role, putNew) => {
        await putNew(`${role}-3`, ['AWSPENDING']);
        await change(role, `${role}-3`);
        expect(await run()).toMatchObject({ state: 'succeeded', rows: 2 });
        await putNew(`${role}-3`);
        expect(await run()).toMatchObject({ state: 'succeeded', rows: 2 });
      },
      30_000,
    );

    it.each([
      ['the source', 'reader', putPassword],
      ['the destination', 'loader', putDestination],
    ])(
      'end the run at once when all values for %s are refused, and the next run goes well',
      async (_whose, role, putNew) => {
        await change(role, `${role}-4`);
        const refused = await run();
        expect(refused).toMatchObject({ state: 'failed', retries: 0 });
        const fault = refused.fault ?? refused.streams[0]?.fault;
        expect(fault).toMatchObject({ kind: 'config', code: 'authentication_failed', hint: expect.any(String) });
        expect(JSON.stringify(refused)).not.toContain(`${role}-`);
        await putNew(`${role}-4`);
        expect(await run()).toMatchObject({ state: 'succeeded', rows: 2 });
      },
      30_000,
    );
  });
});
