import type { CheckReport } from '../../core/check';
import { type FaultRecord, toFault } from '../../core/fault';
import type { IntegrationDocument } from '../../core/integration';
import type { EngineContext } from '../context';
import { backoffMs } from '../retry';
import { openSource } from '../sessions';
import type { ProbeSettings } from './settings';

/** A source ends within five seconds of being told to; what does not is not waited for. */
const GRACE_MS = 5000;
const LONGEST_WAIT_MS = 5000;

/** What one attempt has shown. */
interface Tested {
  readonly passed: boolean;
  readonly step?: string;
  readonly fault?: FaultRecord;
}

/** What a test has shown after its last attempt. */
export interface ProbeOutcome extends Tested {
  readonly milliseconds: number;
  readonly attempts: number;
}

/** What ends a test early. */
export interface ProbeLimits {
  readonly stop: AbortSignal;
  /** No attempt goes on past this time; milliseconds since 1970. */
  readonly until: number;
}

/** The outcome, `undefined` where it was stopped before there was one, and when all that it opened is closed. */
export interface Probed {
  readonly outcome: ProbeOutcome | undefined;
  readonly closed: Promise<unknown>;
}

/** How long a test may take at most. */
export function longestProbeMs({ timeoutMs, retries }: ProbeSettings): number {
  return (retries + 1) * (timeoutMs + GRACE_MS + LONGEST_WAIT_MS);
}

/**
 * Tests a connection by the connector's own check, on one connection at a time. Only what may pass by itself is tried
 * again: a wrong password that is repeated locks the account.
 */
export async function probe(
  context: EngineContext,
  document: IntegrationDocument,
  settings: ProbeSettings,
  { stop, until }: ProbeLimits,
): Promise<Probed> {
  const { clock, random } = context.ports;
  for (let attempts = 1; ; attempts++) {
    const began = clock.now();
    const timeoutMs = Math.min(settings.timeoutMs, until - began);
    const { tested, closed, isClosed } = await attempt(context, document, timeoutMs, stop);
    if (stop.aborted) return { outcome: undefined, closed };
    const milliseconds = Math.min(clock.now() - began, timeoutMs);
    const ended = { outcome: { ...tested, milliseconds, attempts }, closed };
    const waitMs = Math.min(LONGEST_WAIT_MS, backoffMs(attempts, random()));
    const fits = clock.now() + waitMs + settings.timeoutMs <= until;
    if (attempts > settings.retries || !mayPass(tested) || !isClosed() || !fits) return ended;
    await clock.sleep(waitMs, stop);
    if (stop.aborted) return { outcome: undefined, closed };
  }
}

function mayPass({ passed, fault }: Tested): boolean {
  return !passed && fault?.kind === 'transient';
}

/** One attempt. It is left when its time is over, and told to end. */
async function attempt(context: EngineContext, document: IntegrationDocument, timeoutMs: number, stop: AbortSignal) {
  const { clock } = context.ports;
  const [over, left] = [new AbortController(), new AbortController()];
  let isOpen = true;
  const testing = test(context, document, AbortSignal.any([stop, over.signal])).finally(() => {
    isOpen = false;
  });
  const tested = await Promise.race([testing, clock.sleep(timeoutMs, AbortSignal.any([stop, left.signal]))]);
  over.abort();
  // The next attempt, or the next test, must not meet the connection of this one.
  if (tested === undefined) await Promise.race([testing, clock.sleep(GRACE_MS, left.signal)]);
  left.abort();
  const name = String(document.name);
  return { tested: tested ?? tookTooLong(name, timeoutMs), closed: testing, isClosed: () => !isOpen };
}

/** Never rejects. */
async function test(context: EngineContext, document: IntegrationDocument, signal: AbortSignal): Promise<Tested> {
  const name = String(document.name);
  try {
    const source = await openSource(context.ports, document);
    try {
      return testedOf(name, await source.check(signal));
    } finally {
      await source.close();
    }
  } catch (error) {
    return { passed: false, step: 'open', fault: toFault(error, `testing the connection of ${name}`).record() };
  }
}

function testedOf(name: string, { passed, steps }: CheckReport): Tested {
  const failed = steps.find(({ state }) => state === 'failed');
  if (passed || failed === undefined) return { passed };
  const { kind = 'transient', code = 'check_failed', detail, hint } = failed;
  const message = `testing the connection of ${name}: ${detail}`;
  return { passed, step: failed.name, fault: { kind, code, message, ...(hint !== undefined && { hint }) } };
}

function tookTooLong(name: string, timeoutMs: number): Tested {
  return {
    passed: false,
    step: 'timeout',
    fault: {
      kind: 'transient',
      code: 'check_timed_out',
      message: `testing the connection of ${name}: no answer within ${Math.round(timeoutMs / 1000)} s`,
      hint: 'See whether the server is busy or a firewall drops what is sent to it; health_checks.timeout gives it more time.',
    },
  };
}
