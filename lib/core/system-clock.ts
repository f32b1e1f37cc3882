import type { Clock } from './ports';

// setTimeout takes at most 2^31 - 1 milliseconds and turns more into 1.
const LONGEST_TIMER_MS = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    const end = performance.now() + ms;
    for (let left = ms; left > 0 && !signal?.aborted; left = end - performance.now()) {
      await timer(Math.min(left, LONGEST_TIMER_MS), signal);
    }
  },
};

/** Calls `work` every `ms` until the returned function is called. */
export function every(ms: number, work: () => void): () => void {
  const interval = setInterval(work, ms);
  return () => clearInterval(interval);
}

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timeout);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timeout = setTimeout(finish, Math.ceil(ms));
    signal?.addEventListener('abort', finish, { once: true });
  });
}
