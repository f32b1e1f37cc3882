/** The time was over before the work. */
export const LATE: unique symbol = Symbol('late');

/**
 * Ends the waiting for one piece of work after another at one moment. `Promise.race` with a promise for that moment would
 * keep the results of all of them until it comes.
 */
export class TimeLimit {
  /** Stops the clock. */
  readonly stop: () => void;
  #over = false;
  #leave: (() => void) | undefined;

  /** `every` as the port of the same name. */
  constructor(every: (ms: number, work: () => void) => () => void, ms: number) {
    this.stop = every(ms, () => {
      this.#over = true;
      this.#leave?.();
    });
  }

  /** What the work gives, or `LATE`. */
  async wait<T>(work: Promise<T>): Promise<T | typeof LATE> {
    if (this.#over) return LATE;
    let done = false;
    const finish = () => {
      done = true;
      this.#leave?.();
    };
    work.then(finish, finish);
    // The promise that this limit holds must never hold the result: it grows old, and with it all that it refers to.
    await new Promise<void>((resolve) => {
      this.#leave = resolve;
    });
    return done ? work : LATE;
  }
}
