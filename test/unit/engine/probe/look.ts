import type { CheckReport } from '../../../../lib/core/check';
import type { FaultKind } from '../../../../lib/core/fault';
import type { Engine } from '../../../../lib/engine/engine';
import type { ProbeRound } from '../../../../lib/engine/probe/probes';
import type { Home } from '../home';

/** A section that asks for a test every minute. */
export const CHECKS = { enabled: true, interval: 60, timeout: 10, retry_attempts: 2 };
export const PASSED: CheckReport = { passed: true, steps: [] };
export const HINT = 'Start the server.';

/** A report whose step `connect` has failed. */
export function failed(kind: FaultKind = 'transient'): CheckReport {
  const step = { name: 'connect', state: 'failed', detail: 'refused', hint: HINT, kind, code: 'x' } as const;
  return { passed: false, steps: [{ ...step, milliseconds: 1 }] };
}

/** One look at what is due, and all that it began; time goes on meanwhile. */
export async function lookOnce(home: Home, engine: Engine, round: ProbeRound): Promise<void> {
  let ended = false;
  const running = engine.probes.run(round).finally(() => {
    ended = true;
  });
  for (let second = 0; second < 200 && !ended; second++) await home.clock.advance(1000);
  await running;
}
