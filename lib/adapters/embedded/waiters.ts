import type { Clock } from '../../core/ports';

/** Lets calls wait for a time to come or for something to happen, without polling. */
export class Waiters {
  readonly #waiting = new Set<AbortController>();

  /** Resolves after `ms`, at {@link wake}, or when `signal` aborts. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const waiter = new AbortController();
    const abort = (): void => waiter.abort();
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting.add(waiter);
    try {
      await clock.sleep(ms, waiter.signal);
    } finally {
      this.#waiting.delete(waiter);
      signal.removeEventListener('abort', abort);
    }
  }

  wake(): void {
    for (const waiter of this.#waiting) waiter.abort();
  }
}
