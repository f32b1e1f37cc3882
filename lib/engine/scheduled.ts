import { Fault } from '../core/fault';
import type { Logger } from '../core/log';
import type { Service } from '../core/service';

/** What makes the request of a tick idempotent. */
export function scheduleKey(at: number): string {
  return `schedule ${new Date(at).toISOString()}`;
}

/**
 * Starts the run of a tick that was due at `at` (milliseconds since 1970). The time makes the request idempotent: a tick
 * may come twice.
 */
export async function startScheduled(
  service: Pick<Service, 'sync'>,
  log: Logger,
  integration: string,
  at: number,
): Promise<void> {
  const idempotencyKey = scheduleKey(at);
  try {
    await service.sync(integration, { trigger: 'schedule', whenRunning: 'refuse', idempotencyKey });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'run_active') throw error;
    // The run that is going on brings the data up to date; one after the other would only pile up.
    log.info('a scheduled run was left out: the one before it is still going on', { integration });
  }
}
