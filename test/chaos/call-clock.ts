const MOST_CALLS = 3;

interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/**
 * Timers that go off by the calls of ports instead of by time: each once, a few calls after it was set. So what is cut
 * short by a clock is cut at places that follow from a seed alone.
 */
export class CallClock {
  readonly #random: () => number;
  readonly #timers = new Set<Timer>();
  #calls = 0;
  #fired = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** How many went off before they were stopped. */
  get fired(): number {
    return this.#fired;
  }

  /** A call of a port begins. */
  tick(): void {
    this.#calls++;
    for (const timer of this.#timers) {
      if (timer.at > this.#calls) continue;
      this.#timers.delete(timer);
      this.#fired++;
      timer.work();
    }
  }

  /** As the port of the same name; the time is not looked at. */
  every(work: () => void): () => void {
    const timer = { at: this.#calls + 1 + Math.floor(this.#random() * MOST_CALLS), work };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
}
