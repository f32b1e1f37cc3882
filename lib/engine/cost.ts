import type { RunCost } from '../core/run';

/** AWS Lambda, us-east-1, arm64, as published in November 2026, in US dollars. */
const PRICES = { asOf: '2026-11', perGbSecond: 0.0000133334, perMillionRequests: 0.2 };
const MEMORY_GB = 1;

/** What a run that took these seconds of work in so many slices would cost as serverless functions. */
export function costOf(seconds: number, slices: number): RunCost {
  const usd = seconds * MEMORY_GB * PRICES.perGbSecond + (slices / 1e6) * PRICES.perMillionRequests;
  return {
    usd: Math.round(usd * 1e8) / 1e8,
    basis: `estimate: ${MEMORY_GB} GB arm64 functions at AWS Lambda's prices of ${PRICES.asOf}; nothing when run on your own machine`,
  };
}

/** CloudWatch, SQS and Secrets Manager, us-east-1, in US dollars a month; from list prices as of {@link PRICES}. */
const MONTHLY = { alarm: 0.1, polledQueue: 0.26, metric: 0.3, secret: 0.4 };
/** Alarms that the stacks make, and metrics that every integration has; tests compare them with both. */
export const STAGE_PARTS = { alarms: 6, alarmsPerConnector: 5, metricsPerIntegration: 4 };

/** One part of what a stage costs while nothing runs. */
export interface RestingCost {
  readonly part: string;
  readonly count: number;
  /** US dollars a month. */
  readonly usd: number;
}

/**
 * What a stage without an Aurora and without a network of its own costs a month while nothing runs, without storage.
 * `alertMetrics` are the metrics in the alarms of alerts.
 */
export function restingCost(connectors: number, integrations: number, alertMetrics = 0): readonly RestingCost[] {
  const part = (name: string, count: number, price: number) => ({
    part: name,
    count,
    usd: Math.round(count * price * 100) / 100,
  });
  return [
    part('alarms', STAGE_PARTS.alarms + STAGE_PARTS.alarmsPerConnector * connectors, MONTHLY.alarm),
    part('alerts of integrations, by their metrics', alertMetrics, MONTHLY.alarm),
    part('queues that are polled', connectors, MONTHLY.polledQueue),
    part('metrics of integrations', STAGE_PARTS.metricsPerIntegration * integrations, MONTHLY.metric),
    part('secrets of the destination and the quarantine', 2, MONTHLY.secret),
  ];
}

/** When the prices were looked up: year and month. */
export const PRICES_AS_OF = PRICES.asOf;
