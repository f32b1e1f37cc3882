import { rmSync } from 'node:fs';
import { type Home, openHome } from '../../bin/embedded';
import { Redactor } from '../../lib/core/secret';
import type { IntegrationHealth } from '../../lib/core/service';
import { parseExposition } from '../api/prometheus-format';
import { recordingLogger } from '../contracts/recording-logger';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, eventually, makeDatabases, temporaryFolder } from './home';

const CHECKS = { enabled: true, interval: 1, timeout: 1, retry_attempts: 1 };

// A source that goes away and comes back, while nothing but the connection tests looks at it.
describeWithServer('health checks of a source', postgresql({ version: 18 }), (source) => {
  describeWithServer('with a destination', postgresql({ version: 18 }), (target) => {
    let databases: Databases;
    let home: Home;
    const dataFolder = temporaryFolder();
    const { log, lines } = recordingLogger();

    beforeAll(async () => {
      databases = await makeDatabases(source(), target());
      await databases.source.query(
        'create schema shop; create table shop.orders (id int primary key, updated_at timestamptz)',
      );
      const redactor = new Redactor();
      home = await openHome({ dataFolder, destinationUrl: databases.targetUrl, env: {}, log, redactor });
      home.startHealthChecks();
    }, 60_000);
    afterAll(async () => {
      await home?.stop();
      await databases?.close();
      rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 });
    });

    const health = async () => (await home.service.health())[0] as IntegrationHealth;
    const until = (status: IntegrationHealth['connectionStatus']) =>
      eventually(async () => {
        const seen = await health();
        return seen.connectionStatus === status ? seen : undefined;
      });
    const connections = async () => {
      const { rows } = await databases.source.query(
        "select count(*) from pg_stat_activity where datname = 'source' and pid <> pg_backend_pid()",
      );
      return Number(rows[0]?.count);
    };

    it('is connected before the first sync', async () => {
      await home.service.create(documentOf(source(), 'shop', { health_checks: CHECKS }));
      const seen = await until('connected');
      expect(seen).toMatchObject({ status: 'unknown', healthCheck: { state: 'passed', consecutiveFailures: 0 } });
      expect(seen.healthCheck?.milliseconds).toBeGreaterThan(0);
      await eventually(async () => ((await connections()) === 0 ? true : undefined));
    }, 30_000);

    it('is failed when the server is gone, with the step and what to do, and connected when it is back', async () => {
      await source().kill();
      const gone = await until('failed');
      expect(gone).toMatchObject({
        status: expect.stringMatching(/^(degraded|failed)$/),
        detail: expect.stringContaining('testing the connection of shop'),
        healthCheck: {
          state: 'failed',
          step: 'connect',
          fault: { kind: 'transient', code: 'unreachable', hint: expect.stringContaining('Check host and port') },
          lastSuccess: expect.any(String),
        },
      });
      expect(gone.healthCheck?.recent[0]).toMatchObject({ passed: false, step: 'connect', attempts: 2 });
      const { connectionStatus, healthCheck } = await home.service.status('shop');
      expect([connectionStatus, healthCheck?.step]).toEqual(['failed', 'connect']);
      const exposition = parseExposition(await (await home.app.request('/metrics')).text());
      expect(exposition.get('explorerio_health_check_passed')?.samples[0]).toMatchObject({ value: 0 });
      await source().restart();
      const back = await until('connected');
      expect(back.healthCheck).toMatchObject({ state: 'passed', consecutiveFailures: 0 });
      expect(back.healthCheck).not.toHaveProperty('fault');
      const told = lines.filter(({ message }) => message.startsWith('the health check')).map(({ level }) => level);
      expect(told).toEqual(['warn', 'info']);
      expect(JSON.stringify(lines)).not.toContain(source().password);
    }, 60_000);

    it('names the refused login, and does not repeat it', async () => {
      const wrong = documentOf(source(), 'shop', { health_checks: { ...CHECKS, interval: 60 } });
      const connection = { ...wrong.connection, password: 'not-the-password' };
      await home.service.update('shop', { ...wrong, connection }, undefined);
      const seen = await until('failed');
      expect(seen.healthCheck).toMatchObject({
        step: 'authenticate',
        fault: { kind: 'config', code: 'authentication_failed' },
      });
      expect(seen.healthCheck?.recent[0]).toMatchObject({ attempts: 1, passed: false });
      expect(JSON.stringify(seen)).not.toContain('not-the-password');
    }, 30_000);
  });
});
