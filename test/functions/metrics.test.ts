import { jest } from '@jest/globals';
import { writeMetrics } from '../../functions/health/metrics';
import { testConnections } from '../../functions/health/probes';
import { runMetricLine } from '../../functions/run-metrics';
import { metricLine } from '../../lib/adapters/aws/metrics';
import { STAGE_PARTS } from '../../lib/engine/cost';
import type { Engine } from '../../lib/engine/engine';
import type { EndedRun } from '../../lib/engine/ports';
import { recordingLogger } from '../contracts/recording-logger';
import { silentLog } from '../memory/scheduler';
import { document, Home, MANUAL, NEVER, syncAll } from '../unit/engine/home';

interface Line {
  readonly [name: string]: unknown;
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
}

const namesOf = (line?: Line) => line?._aws.CloudWatchMetrics[0]?.Metrics.map(({ Name }) => Name) ?? [];

describe('metrics', () => {
  it('are lines of the embedded metric format: every dimension and metric that is named has a value', () => {
    const record = {
      dimensions: { Stage: 'dev', Integration: 'shop' },
      metrics: { LastSyncAge: { value: 5, unit: 'Seconds' } },
      properties: { rows: 7 },
    } as const;
    const line = JSON.parse(metricLine(record, 1000)) as Line;
    expect(line).toEqual({
      Stage: 'dev',
      Integration: 'shop',
      LastSyncAge: 5,
      rows: 7,
      _aws: {
        Timestamp: 1000,
        CloudWatchMetrics: [
          {
            Namespace: 'ExplorerIO',
            Dimensions: [['Stage', 'Integration']],
            Metrics: [{ Name: 'LastSyncAge', Unit: 'Seconds' }],
          },
        ],
      },
    });
  });

  it('tell the age of the last sync, and of the integration where there was none yet', async () => {
    const home = new Home();
    home.fill('orders', 3);
    const engine = home.engine();
    await engine.service.create(document());
    const lines: Line[] = [];
    const write = () => writeMetrics(engine, 'dev', home.clock, (line) => void lines.push(JSON.parse(line) as Line));
    await home.clock.advance(7_200_000);
    await write();
    await syncAll(home, engine);
    await home.clock.advance(60_000);
    await write();
    expect(lines).toMatchObject([
      { Integration: 'shop', LastSyncAge: 7200, ConnectionFailed: 0, rows: 0 },
      { Integration: 'shop', LastSyncAge: 60, ConnectionFailed: 0, rows: 3, connector: 'memory' },
    ]);
    expect(namesOf(lines[0])).toEqual(['LastSyncAge', 'ConnectionFailed']);
  });

  it('beside those that every integration has are written only where an alert uses them', async () => {
    const home = new Home();
    home.fill('orders', 3);
    const engine = home.engine();
    const alerts = ["sync_duration > '1h' or consecutive_failures > 2", "connection_status != 'connected'"];
    await engine.service.create(
      document({ alerts: alerts.map((condition, index) => ({ name: `a${index}`, condition, severity: 'info' })) }),
    );
    const lines: Line[] = [];
    const write = () => writeMetrics(engine, 'dev', home.clock, (line) => void lines.push(JSON.parse(line) as Line));
    await write();
    await syncAll(home, engine);
    await write();
    const always = ['LastSyncAge', 'ConnectionFailed'];
    // What there is no value for yet is not told.
    expect(namesOf(lines[0])).toEqual([...always, 'ConsecutiveFailures', 'ConnectionStatus']);
    expect(namesOf(lines[1])).toEqual([...always, 'SyncDuration', 'ConsecutiveFailures', 'ConnectionStatus']);
    expect(lines.map(({ ConnectionStatus }) => ConnectionStatus)).toEqual([2, 0]);
  });

  it.each([
    ['connection_status', 'ConnectionFailed', "connection_status == 'failed'"],
    ['data_freshness', 'LastSyncAge', "last_sync_age > '2h'"],
  ])('of %s are left out where they are switched off, unless an alert needs them', async (flag, metric, condition) => {
    const home = new Home();
    const engine = home.engine();
    const flags = { metrics: { [flag]: false } };
    await engine.service.create(document(flags));
    const lines: Line[] = [];
    const write = () => writeMetrics(engine, 'dev', home.clock, (line) => void lines.push(JSON.parse(line) as Line));
    await write();
    const alerts = [{ name: 'a', condition, severity: 'info' }];
    await engine.service.update('shop', document({ ...flags, alerts }), undefined);
    await write();
    expect(namesOf(lines[0])).toEqual(['LastSyncAge', 'ConnectionFailed'].filter((name) => name !== metric));
    expect(namesOf(lines[1]).sort()).toEqual(['ConnectionFailed', 'LastSyncAge']);
  });

  it('of a connection test that failed are those of a failed connection', async () => {
    const home = new Home();
    home.healthChecks = { everySeconds: 300 };
    home.check = async () => ({
      passed: false,
      steps: [{ name: 'connect', state: 'failed', detail: 'refused', milliseconds: 1, kind: 'config' }],
    });
    const engine = home.engine();
    await engine.service.create(document({ health_checks: { enabled: true } }));
    await testConnections({ engine, log: silentLog }, 300);
    const lines: Line[] = [];
    await writeMetrics(engine, 'dev', home.clock, (line) => void lines.push(JSON.parse(line) as Line));
    expect(lines).toMatchObject([{ ConnectionFailed: 1, connection: 'failed', healthCheck: 'failed' }]);
  });

  it('are written although connections cannot be tested', async () => {
    const { log, lines } = recordingLogger();
    const run = async () => {
      throw new Error('the table is away');
    };
    await testConnections({ engine: { probes: { run } } as unknown as Engine, log }, 300);
    expect(lines).toMatchObject([{ level: 'error', fields: { error: 'the table is away' } }]);
  });

  it('of integrations need the runs of each once', async () => {
    const home = new Home();
    home.fill('orders', 3);
    const engine = home.engine();
    await engine.service.create(document());
    await syncAll(home, engine);
    const query = jest.spyOn(home.state, 'query');
    await writeMetrics(engine, 'dev', home.clock, () => undefined);
    expect(query.mock.calls.filter(([partition]) => partition === 'runs/shop')).toHaveLength(1);
  });
});

describe('metrics of a run', () => {
  const run: EndedRun = {
    id: 'r1',
    integration: 'shop',
    document: { name: 'shop', type: 'memory' },
    state: 'succeeded',
    rows: 90,
    quarantined: 7,
    skipped: 3,
  };
  const lineOf = (more: Partial<EndedRun> = {}) => JSON.parse(runMetricLine('dev', { ...run, ...more }, 1000)) as Line;

  it('are what it loaded and what it could not load', () => {
    expect(lineOf()).toMatchObject({ Stage: 'dev', Integration: 'shop', RowsOk: 90, RowsFailed: 10, run: 'r1' });
    expect(namesOf(lineOf())).toEqual(['RowsOk', 'RowsFailed']);
  });

  it('are, with those of the health function, as many as the estimate of the cost counts', () => {
    expect(namesOf(lineOf()).length + 2).toBe(STAGE_PARTS.metricsPerIntegration);
  });

  it.each([
    [{ sync_performance: false }, undefined, ['RowsOk', 'RowsFailed']],
    [{ error_rates: false }, undefined, ['RowsOk']],
    [{ error_rates: false, sync_performance: false }, undefined, []],
    [{ error_rates: false, sync_performance: false }, 'error_rate > 0.1', ['RowsOk', 'RowsFailed']],
    [{ error_rates: false, sync_performance: false }, 'rows_synced < 5', ['RowsOk']],
    [{ error_rates: false, sync_performance: false }, 'quarantined_rows > 5', ['RowsQuarantined']],
  ])('with %j and the alert %s are %j', (metrics, condition, expected) => {
    const alerts = condition === undefined ? [] : [{ name: 'a', condition, severity: 'info' }];
    expect(namesOf(lineOf({ document: { ...run.document, metrics, alerts } }))).toEqual(expected);
  });

  it('tell what was quarantined where an alert asks for it', () => {
    const alerts = [{ name: 'a', condition: 'quarantine_rate > 0.1', severity: 'info' }];
    expect(lineOf({ document: { ...run.document, alerts } })).toMatchObject({ RowsQuarantined: 7 });
  });

  it('are written once for each run, whoever ends it and however often it is ended', async () => {
    const home = new Home();
    home.fill('orders', 3);
    const ended: EndedRun[] = [];
    home.ended = (one) => void ended.push(one);
    const engine = home.engine();
    await engine.service.create(document());
    await syncAll(home, engine);
    const running = await engine.service.sync('shop', MANUAL);
    const waiting = await engine.service.sync('shop', { ...MANUAL, whenRunning: 'queue' });
    await engine.service.cancel(waiting.id);
    expect(await Promise.all([engine.abandon(running.id), engine.abandon(running.id)])).toContain(true);
    for (let step = 0; step < 5; step++) await engine.step(0, NEVER);
    expect(ended.map(({ id, state, rows }) => [id === running.id, state, rows])).toEqual([
      [false, 'succeeded', 3],
      [false, 'cancelled', 0],
      [true, 'failed', 0],
    ]);
  });
});
