import { setTimeout as sleep } from 'node:timers/promises';
import { aborted } from '../aborted';

/**
 * The transactions that could still commit something. `ids`: each by a name that it keeps until it ends, and that no later
 * one takes. `until`: for a server that only numbers them, the number that all running ones are below.
 */
export interface OpenTransactions {
  readonly ids: readonly string[];
  readonly until?: string;
  /** Beside `until`: the oldest transaction that ran when this was found. */
  readonly oldest?: string;
}

/** None is open. */
export const NO_TRANSACTIONS: OpenTransactions = { ids: [] };

const WAIT_MS = 250;
const POLL_MS = 20;

/** Whether nothing is open. */
export function isEmpty(open: OpenTransactions): boolean {
  return open.ids.length === 0 && open.until === undefined;
}

/** Which of `open` have not ended, when `now` are open. */
export function stillOpen(open: OpenTransactions, now: OpenTransactions): OpenTransactions {
  const running = new Set(now.ids);
  const ids = open.ids.filter((id) => running.has(id));
  const { oldest } = now;
  if (open.until === undefined || oldest === undefined || BigInt(oldest) >= BigInt(open.until)) return { ids };
  return { ids, until: open.until, oldest };
}

/** Gives the transactions of `open` a moment to end, as most do; tells which have not. */
export async function waitForEnd(
  open: OpenTransactions,
  ask: () => Promise<OpenTransactions>,
  signal: AbortSignal,
): Promise<OpenTransactions> {
  const deadline = performance.now() + WAIT_MS;
  let left = open;
  while (!isEmpty(left) && performance.now() < deadline) {
    if (signal.aborted) throw aborted();
    await sleep(POLL_MS);
    left = stillOpen(left, await ask());
  }
  return left;
}
