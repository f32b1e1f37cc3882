import type { DayOfRuns, Durations, IntegrationMetrics } from '../core/health';
import type { IntegrationDocument } from '../core/integration';
import { type MetricFlags, metricFlags } from '../core/metric-groups';
import { FINAL_STATES, type RunState } from '../core/run';
import type { IntegrationStats } from '../core/service';
import { costOf } from './cost';
import { freshest, type KeptRun, secondsOf } from './kept-runs';

const DAY_MS = 86_400_000;
const DAYS = 30;

/** Counts over runs, newest first. */
export function statsFrom(id: string, runs: readonly KeptRun[], now: number): Omit<IntegrationStats, 'metrics'> {
  const ended = runs.filter((run) => FINAL_STATES.includes(run.state));
  const count = (state: RunState) => ended.filter((run) => run.state === state).length;
  const sum = (pick: (run: KeptRun) => number) => ended.reduce((total, run) => total + pick(run), 0);
  const seconds = sum(secondsOf);
  const [rows, bytes, quarantined] = [sum((run) => run.rows), sum((run) => run.bytes), sum((run) => run.quarantined)];
  const skipped = sum((run) => run.skipped ?? 0);
  const fresh = freshest(ended);
  return {
    integration: id,
    runs: {
      total: ended.length,
      succeeded: count('succeeded'),
      partial: count('partial'),
      failed: count('failed'),
      cancelled: count('cancelled'),
    },
    rows,
    bytes,
    quarantined,
    skipped,
    errorRate: runErrorRate(ended),
    recordErrorRate: share(quarantined + skipped, rows + quarantined + skipped),
    seconds: durationsOf(ended),
    rowsPerSecond: seconds > 0 ? rows / seconds : 0,
    bytesPerSecond: seconds > 0 ? bytes / seconds : 0,
    days: daysOf(ended, now),
    costUsd: sum((run) => costOf(secondsOf(run), run.slices).usd),
    ...(fresh !== undefined && { freshnessSeconds: (now - fresh) / 1000 }),
  };
}

/** The share of failed runs among those that ended by themselves. */
export function runErrorRate(ended: readonly KeptRun[]): number {
  const counted = ended.filter((run) => run.state !== 'cancelled');
  return share(counted.filter((run) => run.state === 'failed').length, counted.length);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Runs that were cancelled before they began took no time that says anything. */
function durationsOf(ended: readonly KeptRun[]): Durations {
  const sorted = ended
    .filter((run) => run.startedAt !== undefined)
    .map(secondsOf)
    .sort((left, right) => left - right);
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), max: sorted.at(-1) ?? 0 };
}

/** By the nearest rank: the smallest value that at least this share of all does not exceed. One of the values, never between two. */
export function quantile(sorted: readonly number[], of: number): number {
  // 0.95 * 20 is 19 and not a little more, which would be one rank too many.
  const rank = Math.ceil(Number((of * sorted.length).toFixed(6)));
  return sorted[Math.max(0, rank - 1)] ?? 0;
}

/** The last days, oldest first, also those without runs. A run counts on the day on which it ended. */
function daysOf(ended: readonly KeptRun[], now: number): readonly DayOfRuns[] {
  const first = Math.floor(now / DAY_MS) - DAYS + 1;
  const days = Array.from({ length: DAYS }, (_, index) => ({
    day: new Date((first + index) * DAY_MS).toISOString().slice(0, 10),
    ...{ runs: 0, failed: 0, rows: 0, bytes: 0, quarantined: 0 },
  }));
  for (const run of ended) {
    const day = days[Math.floor((run.finishedAt ?? run.createdAt) / DAY_MS) - first];
    if (day === undefined) continue;
    day.runs += 1;
    day.failed += run.state === 'failed' ? 1 : 0;
    day.rows += run.rows;
    day.bytes += run.bytes;
    day.quarantined += run.quarantined;
  }
  return days;
}

/** The figures that the document keeps. */
export function metricsFrom(
  document: IntegrationDocument,
  connectionStatus: IntegrationMetrics['connectionStatus'] & string,
  stats: Omit<IntegrationStats, 'metrics'>,
): IntegrationMetrics {
  const flags: MetricFlags = metricFlags(document);
  const { seconds, rowsPerSecond, bytesPerSecond, errorRate, recordErrorRate, freshnessSeconds } = stats;
  return {
    ...(flags.connection_status && { connectionStatus }),
    ...(flags.sync_performance && { syncPerformance: { seconds, rowsPerSecond, bytesPerSecond } }),
    ...(flags.error_rates && { errorRates: { runs: errorRate, records: recordErrorRate } }),
    ...(flags.data_freshness && {
      dataFreshness: freshnessSeconds === undefined ? {} : { lastSyncAgeSeconds: freshnessSeconds },
    }),
  };
}
