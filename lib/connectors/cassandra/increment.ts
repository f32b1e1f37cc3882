import { setTimeout as sleep } from 'node:timers/promises';
import type { ScanRequest } from '../../core/connector';
import type { Cluster } from './client';
import { parsePosition, type Reached, type TimeWindow } from './parts';
import { bigintOf } from './types';

/** An increment: which writes it takes, and how far it has come. */
export interface IncrementPlan {
  readonly window: TimeWindow;
  readonly reached?: Reached;
}

const BEGINNING = -(2n ** 63n);

/** Microseconds since 1970 by the server's clock, from which on nothing was written yet. */
export async function serverTime(cluster: Cluster, signal: AbortSignal): Promise<bigint> {
  const { functions } = await cluster.facts(signal);
  const cql = `select ${functions.unixTimestamp}(now()) as t from system.local`;
  const [row] = await cluster.system(signal, { cql });
  // Its clock counts milliseconds: a write of this one may be newer.
  return (bigintOf(row?.get('t') ?? 0) + 1n) * 1000n;
}

/**
 * Goes on with the increment that `from` is in the middle of, or begins one: it takes what was written before now, and
 * begins to read when such writes have been stored.
 */
export async function planIncrement(
  cluster: Cluster,
  { from, cursor, signal }: ScanRequest,
  settleMs: number,
): Promise<IncrementPlan> {
  const stop = from && parsePosition(from);
  if (stop?.kind === 'reached' && stop.window) return { window: stop.window, reached: stop.reached };
  const until = await serverTime(cluster, signal);
  await sleep(settleMs, undefined, { signal });
  const lookback = BigInt(cursor?.lookbackMs ?? 0) * 1000n;
  const since = stop?.kind === 'between' ? stop.since - lookback : BEGINNING;
  return { window: { since, until } };
}
