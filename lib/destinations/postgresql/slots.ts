/** Lets so many at a time through, in the order in which they came. */
export interface Slots {
  /** Resolves when it is one's turn; give the slot back by calling the result once. Rejects when `signal` aborts. */
  take(signal: AbortSignal | undefined): Promise<() => void>;
}

/**
 * Waiting for a connection that others use must not end like a connection that cannot be made, and the time-out of the
 * pool makes no difference between the two: so the pool never has to queue.
 */
export function createSlots(count: number): Slots {
  const waiting = new Set<() => void>();
  let free = count;
  const giveBack = () => {
    free++;
    const [next] = waiting;
    next?.();
  };
  const once = () => {
    free--;
    let given = false;
    return () => {
      if (!given) giveBack();
      given = true;
    };
  };
  return {
    take(signal) {
      if (free > 0) return Promise.resolve(once());
      return new Promise((resolve, reject) => {
        const leave = () => {
          waiting.delete(enter);
          signal?.removeEventListener('abort', stop);
        };
        const enter = () => {
          leave();
          resolve(once());
        };
        const stop = () => {
          leave();
          reject(signal?.reason);
        };
        waiting.add(enter);
        signal?.addEventListener('abort', stop);
      });
    },
  };
}
