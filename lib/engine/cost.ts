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
