import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for `work` so long; tells whether it has ended by then, well or not. */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const ended = new AbortController();
  const tooLate = sleep(milliseconds, false, { signal: ended.signal, ref: false }).catch(() => true);
  const result = await Promise.race([work.then(() => true).catch(() => true), tooLate]);
  ended.abort();
  return result;
}
