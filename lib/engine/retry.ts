const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * How long to wait before attempt number `attempt` (from 1): doubles each time up to five minutes, with full jitter
 * over its upper half so that many failures do not come back at once. What the source asked for is honoured.
 */
export function backoffMs(attempt: number, random: number, retryAfterMs = 0): number {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return Math.max(retryAfterMs, Math.round(ceiling * (0.5 + random / 2)));
}
