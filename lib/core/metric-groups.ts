import type { Condition } from './alert/condition';
import { namesOf } from './alert/condition';
import type { IdentifierName } from './alert/identifiers';
import type { IntegrationDocument } from './integration';

/** The switches of the section `metrics` of a document. */
export const METRIC_GROUPS = ['connection_status', 'sync_performance', 'error_rates', 'data_freshness'] as const;

/** One of {@link METRIC_GROUPS}. */
export type MetricGroup = (typeof METRIC_GROUPS)[number];

/** Which figures are shown and exported. */
export type MetricFlags = { readonly [group in MetricGroup]: boolean };

/** The group that each name of the condition language belongs to. */
export const GROUP_OF: { readonly [name in IdentifierName]: MetricGroup } = {
  connection_status: 'connection_status',
  status: 'connection_status',
  last_sync_age: 'data_freshness',
  run_failure_rate: 'error_rates',
  failed_runs: 'error_rates',
  consecutive_failures: 'error_rates',
  sync_duration: 'sync_performance',
  sync_duration_p95: 'sync_performance',
  rows_per_second: 'sync_performance',
  error_rate: 'error_rates',
  quarantine_rate: 'error_rates',
  rows_synced: 'sync_performance',
  quarantined_rows: 'error_rates',
};

/** What a document keeps: everything, save what it switches off. */
export function metricFlags(document: IntegrationDocument): MetricFlags {
  const flags = (document.metrics ?? {}) as { readonly [group: string]: unknown };
  return Object.fromEntries(METRIC_GROUPS.map((group) => [group, flags[group] !== false])) as MetricFlags;
}

/** The names of a condition whose group is switched off. */
export function unkeptNames(condition: Condition, flags: MetricFlags): readonly IdentifierName[] {
  return namesOf(condition).filter((name) => !flags[GROUP_OF[name]]);
}
