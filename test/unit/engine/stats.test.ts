import type { RunState } from '../../../lib/core/run';
import type { KeptRun } from '../../../lib/engine/kept-runs';
import { significant } from '../../../lib/engine/rounding';
import { metricsFrom, quantile, statsFrom } from '../../../lib/engine/stats';

const NOW = Date.UTC(2026, 0, 31, 12);
const DAY = 86_400_000;

function run(state: RunState, finishedAt: number, seconds: number, more: Partial<KeptRun> = {}): KeptRun {
  const counts = { rows: 10, bytes: 100, slices: 1, quarantined: 0, skipped: 0 };
  return {
    id: `r${finishedAt}`,
    integration: 'shop',
    trigger: 'schedule',
    state,
    createdAt: finishedAt - seconds * 1000,
    startedAt: finishedAt - seconds * 1000,
    finishedAt,
    planned: true,
    ...{ attempts: 0, retryAt: 0, retries: 0, cancelRequested: false },
    ...counts,
    ...more,
  };
}

describe('quantile', () => {
  it.each([
    [[], 0.5, 0],
    [[7], 0.5, 7],
    [[7], 0.95, 7],
    [[10, 30], 0.5, 10],
    [[10, 30], 0.95, 30],
    [[1, 2, 3], 0.5, 2],
    [[1, 2, 3, 4], 0.5, 2],
    [Array.from({ length: 20 }, (_, index) => index + 1), 0.95, 19],
    [Array.from({ length: 100 }, (_, index) => index + 1), 0.95, 95],
    [Array.from({ length: 21 }, (_, index) => index + 1), 0.95, 20],
  ])('of %j at %f is by the nearest rank', (sorted, share, expected) => {
    expect(quantile(sorted, share)).toBe(expected);
  });
});

describe('statsFrom', () => {
  it('counts rows and bytes by the day on which a run ended, thirty days in UTC', () => {
    const midnight = Date.UTC(2026, 0, 31);
    const runs = [
      run('failed', midnight, 60, { rows: 1, quarantined: 2 }),
      run('succeeded', midnight - 1, 60),
      run('succeeded', NOW - 30 * DAY, 60, { rows: 999 }),
    ];
    const { days, rows } = statsFrom('shop', runs, NOW);
    expect(days).toHaveLength(30);
    expect(days[0]?.day).toBe('2026-01-02');
    expect(days.slice(-2)).toEqual([
      { day: '2026-01-30', runs: 1, failed: 0, rows: 10, bytes: 100, quarantined: 0 },
      { day: '2026-01-31', runs: 1, failed: 1, rows: 1, bytes: 100, quarantined: 2 },
    ]);
    expect(days.slice(0, -2).every((day) => day.runs === 0 && day.rows === 0)).toBe(true);
    expect(rows).toBe(1010);
  });

  it('tells the errors of runs from those of records', () => {
    const runs = [
      run('succeeded', NOW, 10, { rows: 90, quarantined: 6, skipped: 4 }),
      run('failed', NOW, 10, { rows: 0 }),
      run('cancelled', NOW, 10, { rows: 0 }),
    ];
    expect(statsFrom('shop', runs, NOW)).toMatchObject({ errorRate: 0.5, recordErrorRate: 0.1, skipped: 4 });
  });

  it('leaves runs that never began out of the durations', () => {
    const { startedAt, ...never } = run('cancelled', NOW, 0);
    expect(statsFrom('shop', [run('succeeded', NOW, 8), never, never], NOW).seconds).toEqual({
      p50: 8,
      p95: 8,
      max: 8,
    });
  });

  it('has no figures that are no numbers', () => {
    for (const runs of [[], [run('succeeded', NOW, 0, { rows: 0, bytes: 0 })]]) {
      const text = JSON.stringify(statsFrom('shop', runs, NOW));
      expect(text).not.toMatch(/null|NaN|Infinity/);
    }
  });
});

describe('metricsFrom', () => {
  const stats = statsFrom('shop', [run('succeeded', NOW - 60_000, 10)], NOW);

  it('has all of them by default', () => {
    expect(metricsFrom({}, 'connected', stats)).toEqual({
      connectionStatus: 'connected',
      syncPerformance: { seconds: { p50: 10, p95: 10, max: 10 }, rowsPerSecond: 1, bytesPerSecond: 10 },
      errorRates: { runs: 0, records: 0 },
      dataFreshness: { lastSyncAgeSeconds: 70 },
    });
  });

  it.each([
    ['connection_status', 'connectionStatus'],
    ['sync_performance', 'syncPerformance'],
    ['error_rates', 'errorRates'],
    ['data_freshness', 'dataFreshness'],
  ])('leaves out what %s switches off, and nothing else', (flag, name) => {
    const all = Object.keys(metricsFrom({}, 'connected', stats));
    const kept = Object.keys(metricsFrom({ metrics: { [flag]: false } }, 'connected', stats));
    expect(kept).toEqual(all.filter((one) => one !== name));
  });
});

it.each([
  [0, 0],
  [1 / 3, 0.3333],
  [1234.567, 1235],
  [123_456_789, 123_500_000],
  [0.000012345678, 0.00001235],
])('significant(%f) is %f', (value, expected) => expect(significant(value)).toBe(expected));
