import type { Json } from '../../core/json';

/** Units of CloudWatch that we use. */
export type MetricUnit = 'Count' | 'Seconds' | 'None';

/** Metrics of one thing at one time. */
export interface MetricRecord {
  /** What they are about. Each combination of values is a metric of its own, at about $0.30 a month. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, { readonly value: number; readonly unit: MetricUnit }>>;
  /** What is only logged beside them, for queries. */
  readonly properties?: Readonly<Record<string, Json>>;
}

/** The namespace of all our metrics. */
export const NAMESPACE = 'ExplorerIO';

/**
 * A log line out of which CloudWatch makes metrics, in its embedded metric format (specification: "CloudWatch embedded
 * metric format", Amazon CloudWatch user guide). `timestamp` is milliseconds since 1970.
 */
export function metricLine({ dimensions, metrics, properties = {} }: MetricRecord, timestamp: number): string {
  const definitions = Object.entries(metrics).map(([Name, { unit }]) => ({ Name, Unit: unit }));
  const values = Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value]));
  return JSON.stringify({
    ...properties,
    ...dimensions,
    ...values,
    _aws: {
      Timestamp: timestamp,
      CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [Object.keys(dimensions)], Metrics: definitions }],
    },
  });
}
