import { type Comparison, type Condition, namesOf, type Sample } from '../../core/alert/condition';
import { leavesOf } from '../../core/alert/expression';
import { type IdentifierName, identifier } from '../../core/alert/identifiers';
import { type MetricFlags, metricFlags } from '../../core/metric-groups';
import type { MetricRecord, MetricUnit } from './metrics';

type Metrics = MetricRecord['metrics'];

/**
 * Of every integration, one for each switch of the section `metrics` of its document; all others are written only where an
 * alert uses them, since each costs.
 */
export const AGE = 'LastSyncAge';
export const CONNECTION_FAILED = 'ConnectionFailed';
export const ROWS_OK = 'RowsOk';
export const ROWS_FAILED = 'RowsFailed';
export const ROWS_QUARANTINED = 'RowsQuarantined';

const ALL = metricFlags({});

/** The metrics of what the health function sees. A word is told as its place in the list of words. */
export const STATE_METRICS: { readonly [name in IdentifierName]?: readonly [metric: string, unit: MetricUnit] } = {
  connection_status: ['ConnectionStatus', 'None'],
  status: ['Status', 'None'],
  last_sync_age: [AGE, 'Seconds'],
  run_failure_rate: ['RunFailureRate', 'None'],
  failed_runs: ['FailedRuns', 'Count'],
  consecutive_failures: ['ConsecutiveFailures', 'Count'],
  sync_duration: ['SyncDuration', 'Seconds'],
  sync_duration_p95: ['SyncDurationP95', 'Seconds'],
  rows_per_second: ['RowsPerSecond', 'None'],
};

/** The number by which a metric tells a value. */
export function metricValue(name: IdentifierName, value: number | string): number {
  return typeof value === 'number' ? value : (identifier(name).words ?? []).indexOf(value);
}

/** Whether a condition asks of the connection only whether it failed, for which there always is a metric. */
export function asksOnlyForFailure(condition: Condition): boolean {
  return leavesOf(condition).every(({ name, value }: Comparison) => name !== 'connection_status' || value === 'failed');
}

/** The metrics of one look at an integration: those that its document keeps, and those that its alerts use. */
export function stateMetrics(sample: Sample, conditions: readonly Condition[], flags: MetricFlags = ALL): Metrics {
  const used = new Set(conditions.flatMap((condition) => stateNames(condition)));
  const keepsFailure = flags.connection_status || conditions.some((condition) => usesFailure(condition));
  const metrics: Record<string, { readonly value: number; readonly unit: MetricUnit }> = {
    ...(flags.data_freshness && { [AGE]: { value: Number(sample.last_sync_age ?? 0), unit: 'Seconds' } }),
    ...(keepsFailure && {
      [CONNECTION_FAILED]: { value: sample.connection_status === 'failed' ? 1 : 0, unit: 'Count' },
    }),
  };
  for (const name of used) {
    const [metric, unit] = STATE_METRICS[name] ?? [];
    const value = sample[name];
    if (metric !== undefined && unit !== undefined && value !== undefined) {
      metrics[metric] = { value: metricValue(name, value), unit };
    }
  }
  return metrics;
}

function usesFailure(condition: Condition): boolean {
  return namesOf(condition).includes('connection_status') && asksOnlyForFailure(condition);
}

function stateNames(condition: Condition): readonly IdentifierName[] {
  return namesOf(condition).filter((name) => name !== 'connection_status' || !asksOnlyForFailure(condition));
}

/** Records that a run moved. */
export interface RunRows {
  readonly rows: number;
  readonly quarantined: number;
  readonly skipped: number;
}

/** The metrics of a run that ended: those that the document keeps, and those that its alerts use. */
export function runMetrics(run: RunRows, conditions: readonly Condition[], flags: MetricFlags = ALL): Metrics {
  const used = new Set(conditions.flatMap((condition) => namesOf(condition)));
  const usesRate = used.has('error_rate') || used.has('quarantine_rate');
  const usesQuarantine = used.has('quarantine_rate') || used.has('quarantined_rows');
  // A rate is of both, whatever the other switch says.
  const keepsFailed = flags.error_rates || usesRate;
  const keepsOk = keepsFailed || flags.sync_performance || used.has('rows_synced');
  return {
    ...(keepsOk && { [ROWS_OK]: { value: run.rows, unit: 'Count' } }),
    ...(keepsFailed && { [ROWS_FAILED]: { value: run.quarantined + run.skipped, unit: 'Count' } }),
    ...(usesQuarantine && { [ROWS_QUARANTINED]: { value: run.quarantined, unit: 'Count' } }),
  };
}
