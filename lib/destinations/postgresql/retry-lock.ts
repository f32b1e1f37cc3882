import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../core/fault';
import { errorCode } from './classify';
import { type Session, transaction } from './session';

/** A waiting ALTER or DROP makes every later reader wait too, so it gives way after this long and tries again. */
const LOCK_TIMEOUT_MS = 1500;
const ATTEMPTS = 20;
const LONGEST_PAUSE_MS = 3000;

/** LOCK_NOT_AVAILABLE and DEADLOCK_DETECTED. */
const RETRIED = new Set(['55P03', '40P01']);

/** A transaction that needs a table for itself: tried again, with pauses, while others hold it. */
export async function withTableLock<T>(
  session: Session,
  doing: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction(session, async () => {
        await session.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
        return work();
      });
    } catch (error) {
      if (!RETRIED.has(errorCode(error) ?? '')) throw error;
      if (attempt >= ATTEMPTS || signal?.aborted) throw busy(doing, error);
      await sleep(Math.min(100 * 2 ** attempt, LONGEST_PAUSE_MS));
    }
  }
}

function busy(doing: string, cause: unknown): Fault {
  return new Fault('transient', 'table_busy', `${doing}: other sessions kept the table locked`, {
    cause,
    hint: 'End long-running queries and open transactions on this table, or wait; nothing was changed.',
    retryAfterMs: 30_000,
  });
}
