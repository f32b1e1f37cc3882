import type { Fault } from '../core/fault';
import type { IntegrationFields } from '../core/integration';
import type { EngineContext } from './context';
import type { RunItem } from './state';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5 * 60_000;
/** What the pauses of a `retry_policy` begin with: its few attempts are to last longer than a server needs to start. */
const POLICY_WAIT_MS = 5000;
const POLICY_JITTER = 0.1;

/**
 * How long to wait before attempt number `attempt` (from 1): doubles each time up to five minutes, with full jitter
 * over its upper half so that many failures do not come back at once. What the source asked for is honoured.
 */
export function backoffMs(attempt: number, random: number, retryAfterMs = 0): number {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return Math.max(retryAfterMs, Math.round(ceiling * (0.5 + random / 2)));
}

/** How often a piece of work that failed is tried, and with which pauses. */
export interface RetryPolicy {
  /** Whether it is tried again after so many failed attempts without progress: for a fault that may pass by itself. */
  allows(attempts: number): boolean;
  /** How long to wait after so many failed attempts; what the source asked for is honoured. */
  waitMs(attempts: number): number;
}

type Given = NonNullable<NonNullable<IntegrationFields['webhook_config']>['retry_policy']>;

const GROWTH: { readonly [backoff in Given['backoff']]: (attempts: number) => number } = {
  exponential: (attempts) => 2 ** (attempts - 1),
  linear: (attempts) => attempts,
  constant: () => 1,
};

/** The policy of a run after a fault: that of its document where a webhook has started it, else the engine's own. */
export function retryPolicyOf({ options, ports }: EngineContext, run: RunItem, fault: Fault): RetryPolicy {
  const { retryAfterMs = 0 } = fault;
  const webhook = run.document.webhook_config as { readonly retry_policy?: Given } | undefined;
  const given = run.trigger === 'webhook' ? webhook?.retry_policy : undefined;
  const isFenced = fault.code === 'fenced';
  const upTo = (most: number) => (attempts: number) => (fault.kind === 'transient' || isFenced) && attempts < most;
  // That another worker has taken over is no failure of the source, which the document is about.
  if (given === undefined || isFenced) {
    const waitMs = (attempts: number) => backoffMs(attempts, ports.random(), retryAfterMs);
    return { allows: upTo(options.maxAttempts), waitMs };
  }
  return {
    allows: upTo(given.max_attempts),
    waitMs(attempts) {
      const ceiling = Math.min(LONGEST_WAIT_MS, POLICY_WAIT_MS * GROWTH[given.backoff](attempts));
      return Math.max(retryAfterMs, Math.round(ceiling * (1 - POLICY_JITTER * ports.random())));
    },
  };
}
