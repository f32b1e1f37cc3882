import type { Durations, IntegrationMetrics } from '../core/health';
import type { IntegrationHealth, IntegrationStats } from '../core/service';

const SIGNIFICANT_DIGITS = 4;

/** A rate with the digits that it can stand for. What alerts compare is not rounded. */
export function significant(value: number): number {
  return Number(value.toPrecision(SIGNIFICANT_DIGITS));
}

/** Health as it is shown. */
export function roundedHealth(health: IntegrationHealth): IntegrationHealth {
  const { errorRate, metrics } = health;
  return { ...health, errorRate: significant(errorRate), metrics: roundedMetrics(metrics) };
}

/** Statistics as they are shown. */
export function roundedStats(stats: IntegrationStats): IntegrationStats {
  const { errorRate, recordErrorRate, rowsPerSecond, bytesPerSecond, costUsd, metrics } = stats;
  return {
    ...stats,
    seconds: roundedDurations(stats.seconds),
    errorRate: significant(errorRate),
    recordErrorRate: significant(recordErrorRate),
    rowsPerSecond: significant(rowsPerSecond),
    bytesPerSecond: significant(bytesPerSecond),
    costUsd: significant(costUsd),
    metrics: roundedMetrics(metrics),
  };
}

function roundedMetrics(metrics: IntegrationMetrics): IntegrationMetrics {
  const { syncPerformance: speed, errorRates: errors } = metrics;
  return {
    ...metrics,
    ...(speed && {
      syncPerformance: {
        seconds: roundedDurations(speed.seconds),
        rowsPerSecond: significant(speed.rowsPerSecond),
        bytesPerSecond: significant(speed.bytesPerSecond),
      },
    }),
    ...(errors && { errorRates: { runs: significant(errors.runs), records: significant(errors.records) } }),
  };
}

/** Sums of milliseconds may end in 0.30000000000000004. */
function roundedDurations({ p50, p95, max }: Durations): Durations {
  const milliseconds = (seconds: number) => Math.round(seconds * 1000) / 1000;
  return { p50: milliseconds(p50), p95: milliseconds(p95), max: milliseconds(max) };
}
