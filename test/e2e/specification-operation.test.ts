import { connectorTypes } from '../../lib/connectors';
import type { Json } from '../../lib/core/json';
import { SIGNATURE_HEADER, signWebhook } from '../../lib/core/webhook-signature';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { INTEGRATIONS, SECTIONS } from '../unit/engine/specification';
import { type Databases, documentOf, eventually, makeDatabases } from './home';
import { type ServedHome, startServedHome } from './served-home';

type Section = { readonly [field: string]: Json };

const sectionOf = (name: keyof typeof SECTIONS) => SECTIONS[name][0] as unknown as Section;
const POSTGRESQL = INTEGRATIONS[0];
const OTHERS = INTEGRATIONS.filter(({ type }) => type !== 'postgresql');
const examplesOf = (isKnown: boolean) =>
  OTHERS.filter(({ type }) => connectorTypes.includes(type) === isKnown).map((one) => [one.type, one] as const);

// Each example of the specification of integrations, monitoring, security and the API, word for word but for hosts and
// paths, in the whole program over HTTP.
describeWithServer(
  'the examples of the specification of operation',
  postgresql({ version: 15, tls: true }),
  (server) => {
    let databases: Databases;
    let home: ServedHome;

    beforeAll(async () => {
      databases = await makeDatabases(server());
      const secrets = {
        DB_PASSWORD: server().password,
        ENCRYPTION_KEY: 'a passphrase for the file',
        NEW: 'in-the-file',
        WEBHOOK_SECRET: 'the-secret-of-the-webhook',
      };
      home = await startServedHome(databases.targetUrl, secrets);
      await databases.source.query(`create role in_file login password 'in-the-file'`);
    });
    afterAll(async () => {
      await home?.stop();
      await databases?.close();
    });

    const make = async (
      name: string,
      sections: { readonly [section: string]: Json } = {},
      connection: Section = {},
    ) => {
      await databases.source.query(`create schema ${name}; create table ${name}.orders (id int primary key,
      updated_at timestamptz not null default now());
      insert into ${name}.orders select generate_series(1, 10); grant usage on schema ${name} to in_file;
      grant select on ${name}.orders to in_file`);
      const document = documentOf(server(), name, sections);
      return home.call('POST', '/api/integrations', {
        ...document,
        connection: { ...document.connection, ...connection },
      });
    };
    const one = async (path: string, name: string) =>
      (await home.call('GET', path)).body.integrations.find((found: Section) => found.integration === name);

    it('PostgreSQL: a document, its schedule, its secret and its batches', async () => {
      await databases.source.query(
        'create table orders as select generate_series(1, 2500) as id; alter table orders add primary key (id)',
      );
      const { host, port, user: username, ca } = server();
      const connection = { ...POSTGRESQL.connection, host, port, database: 'source', username, ssl: { ca: ca ?? '' } };
      const created = await home.call('POST', '/api/integrations', { ...POSTGRESQL, connection, tables: ['orders'] });
      expect([created.status, created.body.warnings]).toEqual([201, []]);
      expect(created.body.document.connection.password).toBe('${DB_PASSWORD}');
      expect(await home.sync('main_database')).toMatchObject({ state: 'succeeded', rows: 2500 });
      const { body: status } = await home.call('GET', '/api/integrations/main_database/status');
      expect(new Date(status.next_run).getUTCHours() % 6).toBe(0);
    }, 60_000);

    it.each(examplesOf(false))(
      '%s (its connector is not in this version): refused by path, with the types there are',
      async (type, document) => {
        const { status, body } = await home.call('POST', '/api/integrations', document);
        expect(status).toBe(422);
        expect(body).toMatchObject({
          detail: expect.stringContaining(`"${type}"`),
          hint: expect.stringMatching(/^Known types: .*postgresql/),
          errors: [{ path: 'type', message: 'is not known' }],
        });
      },
    );

    it.each(examplesOf(true))('%s: stored as it stands', async (_type, document) => {
      const { status, body } = await home.call('POST', '/api/integrations', document);
      expect([status, body.id]).toEqual([201, document.name]);
      // One that follows changes begins by itself, and there is no such server.
      await home.call('PATCH', `/api/integrations/${document.name}`, { enabled: false });
    });

    it('Health Check Configuration and metrics: the connection is tested by itself, and every figure is shown', async () => {
      const created = await make('watched', {
        health_checks: sectionOf('health_checks'),
        metrics: sectionOf('metrics'),
      });
      expect([created.status, created.body.warnings]).toEqual([201, []]);
      const tested = await eventually(async () => {
        const health = await one('/api/integrations/health', 'watched');
        return health.connection_status === 'unknown' ? undefined : health;
      });
      expect(tested).toMatchObject({ connection_status: 'connected', health_check: { state: 'passed' } });
      await home.sync('watched');
      expect(await one('/api/integrations/health', 'watched')).toMatchObject({
        status: 'healthy',
        metrics: {
          connection_status: 'connected',
          sync_performance: { rows_per_second: expect.any(Number) },
          error_rates: { runs: 0, records: 0 },
          data_freshness: { last_sync_age_seconds: expect.any(Number) },
        },
      });
      const { status, body: metrics } = await home.call('GET', '/metrics');
      expect(status).toBe(200);
      expect(metrics).toMatch(/^explorerio_\w+\{integration="watched".*\} [\d.]+$/m);
    }, 60_000);

    it('Alerting Rules: three alerts, with their conditions understood', async () => {
      const created = await make('alerting', { alerts: SECTIONS.alerts[0] as unknown as Json });
      expect(created.status).toBe(201);
      expect(created.body.document.alerts).toEqual(SECTIONS.alerts[0]);
      const { status, body } = await home.call('GET', '/api/integrations/alerting/alerts');
      expect(status).toBe(200);
      expect(body.alerts.map(({ name, severity }: Section) => [name, severity])).toEqual([
        ['Integration Failure', 'critical'],
        ['High Error Rate', 'warning'],
        ['Data Staleness', 'warning'],
      ]);
    });

    it('Environment Variables: a reference is resolved when it is needed, and shown as it is', async () => {
      expect((await make('by_environment', {}, { password: '${DB_PASSWORD}' })).status).toBe(201);
      expect(await home.sync('by_environment')).toMatchObject({ state: 'succeeded', rows: 10 });
      expect((await make('without', {}, { password: '${MONGO_PASSWORD}' })).status).toBe(201);
      const { body } = await home.call('POST', '/api/integrations/without/test');
      expect(JSON.stringify(body)).toContain('MONGO_PASSWORD is not set');
    }, 60_000);

    it('Encrypted Credential Store and rotation policy: the value comes from the file, and its age is watched', async () => {
      const file_path = `${home.secure}/credentials.enc`;
      const set = ['secrets', 'set', 'FILE_PASSWORD', '--file', file_path, '--key-env', 'ENCRYPTION_KEY', '--from-env'];
      expect((await home.cli(...set, 'NEW')).code).toBe(0);
      const created = await make(
        'encrypted',
        {
          credential_store: { ...sectionOf('credential_store'), file_path },
          rotation_policy: sectionOf('rotation_policy'),
        },
        { username: 'in_file', password: '${FILE_PASSWORD}' },
      );
      expect(created.status).toBe(201);
      expect(await home.sync('encrypted')).toMatchObject({ state: 'succeeded', rows: 10 });
      const { body } = await home.call('GET', '/api/credentials');
      const { changed_at, due_at, ...credential } = body.credentials.find(
        ({ name }: Section) => name === 'FILE_PASSWORD',
      );
      expect(credential).toMatchObject({ store: 'encrypted_file', used_by: ['encrypted'], state: 'ok' });
      expect(Date.parse(due_at) - Date.parse(changed_at)).toBe(90 * 86_400_000);
    }, 60_000);

    it('VPN/Private Network Configuration: no way past the ranges, TLS and verification', async () => {
      const security = sectionOf('network_security');
      const { ca = '' } = server();
      const outside = await make('private', { network_security: security }, { ssl: { ca } });
      expect(outside.status).toBe(201);
      const tested = await home.call('POST', '/api/integrations/private/test');
      const steps = Object.fromEntries(tested.body.steps.map((step: Section) => [step.name, step]));
      expect(steps.vpn.detail).toContain('vpn.company.com');
      expect(steps.connect).toMatchObject({ state: 'failed', hint: expect.stringContaining('allowed_ip_ranges') });
      expect(steps.connect.detail).toContain('is in none of network_security.allowed_ip_ranges');
      const refused = await home.sync('private');
      expect(refused).toMatchObject({ state: 'failed', fault: { code: 'address_refused' } });

      const near = { ...security, allowed_ip_ranges: [...(security.allowed_ip_ranges as Json[]), '127.0.0.0/8'] };
      expect((await make('near', { network_security: near }, { ssl: { ca } })).status).toBe(201);
      expect(await home.sync('near')).toMatchObject({ state: 'succeeded', rows: 10 });

      const plain = await make('plain', { network_security: near }, { ssl: false });
      expect(plain.body.warnings).toContainEqual(expect.stringMatching(/^connection\.ssl: /));
      expect((await home.sync('plain')).fault.message).toContain('network_security.require_ssl asks for encryption');
      const unverified = await make('unverified', { network_security: near }, { ssl: { verification: 'off' } });
      expect(unverified.status).toBe(201);
      expect((await home.sync('unverified')).fault.message).toContain('network_security.ssl_verification asks for');
    }, 60_000);

    it('Webhook Integration: a signed call at its path loads what has changed, another one does nothing', async () => {
      const sync_settings = { mode: 'incremental' };
      const created = await make('hooked', { sync_settings, webhook_config: sectionOf('webhook_config') });
      expect([created.status, created.body.warnings]).toEqual([201, []]);
      expect(created.body.document.webhook_config).toEqual(sectionOf('webhook_config'));
      const path = '/webhooks/data-update';
      const data = Buffer.from([0, 0xff, 0x7b]);
      const signed = (key: string) => ({ [SIGNATURE_HEADER]: signWebhook(data, key, Date.now()) });
      for (const headers of [{}, signed('another-secret')]) {
        expect(await home.post(path, data, headers)).toMatchObject({
          status: 401,
          body: { code: 'signature_invalid' },
        });
      }
      expect((await home.call('GET', '/api/integrations/hooked/runs')).body.runs).toEqual([]);
      const called = async () => {
        const { status, body } = await home.post(path, data, signed('the-secret-of-the-webhook'));
        expect([status, body.runs.length, body.runs[0].integration]).toEqual([202, 1, 'hooked']);
        return eventually(async () => {
          const run = (await home.call('GET', `/api/runs/${body.runs[0].run}`)).body;
          return run.finished_at === undefined ? undefined : run;
        });
      };
      expect(await called()).toMatchObject({ state: 'succeeded', trigger: 'webhook', rows: 10 });
      await databases.source.query('insert into hooked.orders values (11)');
      expect(await called()).toMatchObject({ state: 'succeeded', streams: [{ mode: 'incremental' }] });
      const { rows } = await databases.target.query('select count(*)::int as count from hooked.hooked__orders');
      expect(rows).toEqual([{ count: '11' }]);
    }, 60_000);

    it('the Integration Management API: create, test, sync, status, health and stats', async () => {
      const created = await make('sales_database', { sync_settings: {}, enabled: true });
      expect([created.status, created.body.id]).toEqual([201, 'sales_database']);
      const tested = await home.call('POST', '/api/integrations/sales_database/test');
      expect([tested.status, tested.body.passed]).toEqual([200, true]);
      const started = await home.call('POST', '/api/integrations/sales_database/sync', { type: 'full', async: true });
      expect(started.status).toBe(202);
      const status = await eventually(async () => {
        const { body } = await home.call('GET', '/api/integrations/sales_database/status');
        return body.last_run === undefined ? undefined : body;
      });
      expect(status).toMatchObject({
        state: 'succeeded',
        last_run: { id: started.body.id, requested: 'full', rows: 10, streams: [{ stream: 'sales_database.orders' }] },
      });
      expect(await one('/api/integrations/health', 'sales_database')).toMatchObject({ status: 'healthy' });
      expect(await one('/api/integrations/stats', 'sales_database')).toMatchObject({
        rows: 10,
        runs: { succeeded: 1 },
      });
      const { rows } = await databases.target.query(
        'select count(*) as rows from sales_database.sales_database__orders',
      );
      expect(rows).toEqual([{ rows: '10' }]);
    }, 60_000);

    it('and no secret is in a log', () => {
      const text = JSON.stringify(home.lines);
      const secrets = ['in-the-file', 'a passphrase for the file', 'the-secret-of-the-webhook'];
      for (const secret of [server().password, ...secrets]) expect(text).not.toContain(secret);
    });
  },
);
