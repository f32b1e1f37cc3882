import { messageOf } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import { systemClock } from '../lib/core/system-clock';
import type { Engine } from '../lib/engine/engine';
import type { Cleanup } from './cleanup';

const AT_ONCE = 8;
/** Times between two looks at what is due: the longest one is how late a new integration is found. */
const SHORTEST_MS = 500;
const LONGEST_MS = 5000;

/** Tests connections as their documents ask, until the home stops. */
export function startHealthChecks(
  { probes }: Pick<Engine, 'probes'>,
  { log, cleanup }: { readonly log: Logger; readonly cleanup: Cleanup },
): void {
  const stop = new AbortController();
  const look = () =>
    probes.begin({ stop: stop.signal, atOnce: AT_ONCE }).catch((error) => {
      log.error('looking for health checks that are due failed', { error: messageOf(error) });
      return Number.POSITIVE_INFINITY;
    });
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const nextAt = await look();
      const waitMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, nextAt - systemClock.now()));
      await systemClock.sleep(waitMs, stop.signal);
    }
    await probes.settled();
  })();
  cleanup.add('ending the health checks', async () => {
    stop.abort();
    await watching;
  });
}
