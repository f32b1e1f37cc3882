import { messageOf } from '../../lib/core/fault';
import type { CloudHome } from '../home';

const NEVER = new AbortController().signal;
/** Half of the time that the function has: the rest of its work comes after it. */
const BUDGET_MS = 60_000;
const AT_ONCE = 8;

/** Tests the connections that are due. That it cannot must not keep the rest from being done. */
export async function testConnections(
  { engine, log }: Pick<CloudHome, 'engine' | 'log'>,
  everySeconds: number,
): Promise<void> {
  try {
    // Due before the middle of the time to the next look: the nearer look is the right one, however late each begins.
    await engine.probes.run({
      stop: NEVER,
      atOnce: AT_ONCE,
      budgetMs: BUDGET_MS,
      slackMs: (everySeconds * 1000) / 2,
    });
  } catch (error) {
    log.error('testing connections failed', { error: messageOf(error) });
  }
}
