import type { ChannelStatus } from '../../lib/core/channel';
import { Fault } from '../../lib/core/fault';
import type { IntegrationHealth, IntegrationStats } from '../../lib/core/service';
import { commandLine, connectionTo } from './command-line';

const AT = '2026-01-02T03:04:05.678Z';
const METRICS = {};
const SHOP: IntegrationHealth = {
  integration: 'shop',
  status: 'healthy',
  connectionStatus: 'connected',
  errorRate: 0.0512,
  lastSyncAgeSeconds: 60,
  detail: 'the last sync succeeded',
  metrics: METRICS,
  healthCheck: {
    state: 'passed',
    at: AT,
    since: AT,
    lastSuccess: AT,
    consecutiveFailures: 0,
    milliseconds: 12,
    nextAt: '2026-01-02T03:09:05.678Z',
    recent: [],
  },
};
const CRM: IntegrationHealth = {
  integration: 'crm',
  status: 'failed',
  connectionStatus: 'failed',
  errorRate: 1,
  detail: 'testing the connection of crm: \u001b[31mrefused',
  metrics: METRICS,
  healthCheck: {
    state: 'failed',
    at: AT,
    since: AT,
    consecutiveFailures: 3,
    milliseconds: 5,
    step: 'connect',
    fault: { kind: 'transient', code: 'x', message: 'testing the connection of crm: refused', hint: 'Start it.' },
    nextAt: '2026-01-02T03:09:05.678Z',
    recent: [],
  },
};
const STATS: IntegrationStats = {
  integration: 'shop',
  runs: { total: 4, succeeded: 2, partial: 0, failed: 1, cancelled: 1 },
  rows: 12_345,
  bytes: 2_000_000,
  quarantined: 3,
  skipped: 1,
  errorRate: 0.3333,
  recordErrorRate: 0.000324,
  seconds: { p50: 20, p95: 40, max: 40 },
  rowsPerSecond: 123.5,
  bytesPerSecond: 20_000,
  days: [
    { day: '2026-01-01', runs: 0, failed: 0, rows: 0, bytes: 0, quarantined: 0 },
    { day: '2026-01-02', runs: 4, failed: 1, rows: 12_345, bytes: 2_000_000, quarantined: 3 },
  ],
  costUsd: 0.00134,
  metrics: METRICS,
};

const service = {
  notificationChannels: async () => [],
  health: async () => [SHOP, CRM],
  stats: async () => [STATS],
  get: async (id: string) => {
    throw new Fault('config', 'not_found', `reading integration ${id}: there is no integration of this name`);
  },
};
const run = (...args: string[]) => commandLine(args, { connection: connectionTo(service) });
const cells = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

describe('health', () => {
  it('of all is a table, and the code says that one has failed', async () => {
    const { code, out } = await run('health');
    expect(code).toBe(1);
    expect(cells(out)).toEqual([
      ['INTEGRATION', 'STATUS', 'CONNECTION', 'TESTED', 'FAILED RUNS', 'FRESH', 'DETAIL'],
      ['shop', 'healthy', 'connected', 'passed, 12 ms', '5.12 %', '60 s ago', 'the last sync succeeded'],
      ['crm', 'failed', 'failed', 'failed, 5 ms', '100 %', 'never', expect.stringContaining('\\u001b[31mrefused')],
    ]);
  });

  it('of one tells the step that failed and what to do', async () => {
    const { code, out } = await run('health', 'crm');
    expect(code).toBe(1);
    expect(out).toMatch(/in a row: +3 failed\nfailed step: connect\nfault: .*refused\nhint: +Start it\.\n/);
    expect((await run('health', 'shop')).code).toBe(0);
  });

  it('says that there are no tests, and why some are not made', async () => {
    const { healthCheck, ...untested } = SHOP;
    const paused = {
      ...SHOP,
      healthCheck: { state: 'not_probed', reason: 'it is paused', consecutiveFailures: 0, recent: [] },
    };
    for (const [one, expected] of [
      [untested, 'switch them on with health_checks'],
      [paused as IntegrationHealth, 'not probed: it is paused'],
    ] as const) {
      const connection = connectionTo({ ...service, health: async () => [one] });
      expect((await commandLine(['health', 'shop'], { connection })).out).toContain(expected);
    }
  });

  it.each(['health', 'stats'])('%s of one that is not there is refused', async (command) => {
    const { code, err } = await run(command, 'none');
    expect([code, err]).toEqual([2, expect.stringContaining('reading integration none')]);
  });

  it('tells of channels on which nobody is told anything', async () => {
    const fault = {
      kind: 'config',
      code: 'slack_refused',
      message: 'sending to Slack: it is archived',
      at: '',
    } as const;
    const slack = { channel: 'slack', state: 'failing', waiting: 3, sent: 0, givenUp: 0, usedBy: [], lastFault: fault };
    const unused = { ...slack, channel: 'email', state: 'missing', waiting: 0 };
    const notificationChannels = async () => [slack, unused] as ChannelStatus[];
    const connection = connectionTo({ ...service, notificationChannels });
    const { err } = await commandLine(['health'], { connection });
    expect(err).not.toContain('email');
    expect(err).toContain('notifications by slack are failing: sending to Slack: it is archived');
  });

  it('is JSON for programs', async () => {
    expect(JSON.parse((await run('health', '--json')).out)).toMatchObject({ status: 'failed', integrations: [{}, {}] });
    expect(JSON.parse((await run('health', 'shop', '--json')).out)).toMatchObject({ integration: 'shop' });
  });
});

describe('stats', () => {
  it('of all are a table', async () => {
    const { code, out } = await run('stats');
    expect(code).toBe(0);
    expect(cells(out)).toEqual([
      ['INTEGRATION', 'RUNS', 'FAILED', 'ROWS', 'SIZE', 'QUARANTINED', 'ROWS/S', 'P50', 'P95', 'COST'],
      ['shop', '4', '33.3 %', '12,345', '2 MB', '3', '124', '20 s', '40 s', '$0.00134'],
    ]);
  });

  it('of one have its days with runs', async () => {
    const { out } = await run('stats', 'shop');
    expect(out).toContain('errors:    33.3 % of runs, 0.0324 % of records (3 quarantined, 1 skipped)');
    expect(out).toContain('speed:     124 rows/s, 20 kB/s');
    expect(out).not.toContain('2026-01-01');
    expect(cells(out).at(-1)).toEqual(['2026-01-02', '4', '1', '12,345', '2 MB', '3']);
  });
});
