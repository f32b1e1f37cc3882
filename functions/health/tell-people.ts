import { messageOf } from '../../lib/core/fault';
import type { CloudHome } from '../home';

const NEVER = new AbortController().signal;

/** Tells of runs that have ended, and sends what waits. That it cannot must not keep the rest from being done. */
export async function tellPeople({ engine, notifications, log }: CloudHome): Promise<void> {
  try {
    await engine.tellOfRuns();
    await notifications.deliver(NEVER);
  } catch (error) {
    log.error('sending notifications failed', { error: messageOf(error) });
  }
}
