import { setTimeout as sleep } from 'node:timers/promises';
import { stoppable } from '../shared/aborted';

/** Paces scans by the read capacity that they have used. */
export interface Budget {
  /** Waits until capacity is there again; gives how many items the next page should have at most. */
  wait(table: string, signal: AbortSignal): Promise<number>;
  /** Says what a page has cost. */
  spend(table: string, units: number, items: number): void;
}

/** Time as a budget sees it. */
export interface Pace {
  /** In milliseconds. */
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const REAL: Pace = {
  now: () => performance.now(),
  sleep: (ms, signal) => stoppable(signal, () => sleep(ms, undefined, { signal })),
};
const UNLIMITED: Budget = { wait: async () => Number.POSITIVE_INFINITY, spend: () => undefined };
/** Items of the first page of a table, before it is known what its items cost. */
const FIRST_PAGE = 100;

/** A budget of so many units per second for all scans of a source; without a number there is none. */
export function openBudget(unitsPerSecond: number | undefined, pace: Pace = REAL): Budget {
  return unitsPerSecond === undefined ? UNLIMITED : new UnitBudget(unitsPerSecond, pace);
}

class UnitBudget implements Budget {
  readonly #perSecond: number;
  readonly #pace: Pace;
  readonly #costs = new Map<string, number>();
  /** When all that was spent is paid for. */
  #paidAt = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, pace: Pace) {
    this.#perSecond = perSecond;
    this.#pace = pace;
  }

  async wait(table: string, signal: AbortSignal): Promise<number> {
    // Another scan may have spent something in the meantime.
    for (let due = this.#due(); due > 0; due = this.#due()) await this.#pace.sleep(Math.ceil(due), signal);
    const cost = this.#costs.get(table);
    return cost === undefined ? FIRST_PAGE : Math.max(1, Math.floor(this.#perSecond / cost));
  }

  spend(table: string, units: number, items: number): void {
    this.#paidAt = Math.max(this.#paidAt, this.#pace.now()) + (units / this.#perSecond) * 1000;
    if (items > 0 && units > 0) this.#costs.set(table, units / items);
  }

  #due(): number {
    return this.#paidAt - this.#pace.now();
  }
}
