import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { RunDetails } from '../../lib/core/run';
import { type Databases, makeDatabases } from '../e2e/home';
import { MemorySecrets } from '../memory/secrets';
import { ministack } from '../servers/ministack';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { CONTEXT, httpEvent, makeStage, type Stage, sqsEvent } from './stage';

describeWithServer('the quarantine of a stage', ministack(), (cloud) => {
  describeWithServer('with PostgreSQL 15', postgresql({ version: 15 }), (server) => {
    let databases: Databases;
    let stage: Stage;

    beforeAll(async () => {
      databases = await makeDatabases(server());
      stage = await makeStage(cloud(), databases.targetUrl);
      Object.assign(process.env, stage.environment, { EXPLORERIO_WORK_SECONDS: '60' });
    }, 60_000);
    afterAll(async () => databases?.close());

    it('is encrypted, and read, edited and replayed through the API', async () => {
      const { source, target } = databases;
      await source.query(`create table public.people (id int primary key, email text);
        insert into public.people values (1, 'a@b.example'), (2, 'canary')`);
      const api = await import('../../functions/api/handler');
      const { syncHandler } = await import('../../functions/sync/handler');
      const { loadConnector } = await import('../../lib/connectors');
      const sync = syncHandler('postgresql', () => loadConnector('postgresql'));
      const request = async (method: string, path: string, body?: unknown) => {
        const event = httpEvent(method, path, body);
        const answer = (await api.handler(event, CONTEXT as never)) as APIGatewayProxyStructuredResultV2;
        return JSON.parse(answer.body || 'null');
      };
      const { host, port, user, password } = server();
      await stage.putSecret('SOURCE_PASSWORD', password || 'none');
      await request('POST', '/api/integrations', {
        name: 'crm',
        type: 'postgresql',
        connection: { host, port, database: 'source', username: user, password: '${SOURCE_PASSWORD}' },
        sync_strategy: { type: 'full' },
        validation_rules: [{ type: 'email_format', field: 'email' }],
      });
      const { id } = await request('POST', '/api/integrations/crm/sync', { async: true });
      for (let invocations = 0; invocations < 50; invocations++) {
        if (!['queued', 'running'].includes(((await request('GET', `/api/runs/${id}`)) as RunDetails).state)) break;
        for (const record of await stage.receive(2)) await sync(sqsEvent([record]), CONTEXT);
      }
      const path = '/api/integrations/crm/quarantine';
      const { records } = await request('GET', path);
      expect(records).toMatchObject([{ field: 'email', record: { id: 2, email: 'canary' } }]);
      const stored = await target.query('select q::text as text from crm._explorerio_quarantine q');
      expect(stored.rows[0]?.text).toContain('v1:');
      expect(stored.rows[0]?.text).not.toContain('canary');
      await request('PATCH', `${path}/${records[0].id}`, { fields: { email: 'c@d.example' } });
      expect(await request('POST', `${path}/replay`, {})).toMatchObject({ outcomes: [{ state: 'loaded' }] });
      expect((await target.query('select id, email from crm.people order by id')).rows).toEqual([
        { id: '1', email: 'a@b.example' },
        { id: '2', email: 'c@d.example' },
      ]);
    }, 60_000);

    it('is not opened without its key', async () => {
      const { quarantineKeyOf } = await import('../../functions/quarantine-key');
      await expect(quarantineKeyOf(stage.environment, new MemorySecrets({}))).rejects.toMatchObject({
        kind: 'config',
        code: 'no_quarantine_key',
        message: expect.stringContaining(stage.environment.EXPLORERIO_QUARANTINE_SECRET),
      });
    });
  });
});
