import { messageOf } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import { every } from '../lib/core/system-clock';
import type { Engine } from '../lib/engine/engine';
import type { Cleanup } from './cleanup';

/** Looks at the alerts of all integrations every `ms`, one look at a time. */
export function startAlerts(
  engine: Engine,
  { ms, log, cleanup }: { readonly ms: number; readonly log: Logger; readonly cleanup: Cleanup },
): void {
  const end = new AbortController();
  let looking: Promise<void> | undefined;
  const stopLooking = every(ms, () => {
    looking ??= engine
      .lookAtAlerts(end.signal)
      .catch((error) => log.error('looking at alerts failed', { error: messageOf(error) }))
      .finally(() => {
        looking = undefined;
      });
  });
  cleanup.add('ending the look at alerts', async () => {
    end.abort();
    stopLooking();
    await looking;
  });
}
