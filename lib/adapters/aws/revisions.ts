import { randomInt } from 'node:crypto';
import type { Clock } from '../../core/ports';

const PER_MILLISECOND = 1000;

/**
 * Revisions for items that are not stored. DynamoDB keeps nothing of an item that was removed, so what comes after it is
 * taken from the clock, in microseconds:
 *
 * - An item begins at the clock, and each write adds one. No item is written once a microsecond for as long as it lives,
 *   so its revision never passes the clock, and an item made again later begins above all that its forerunner had.
 * - Within a process this needs no clock: `fresh` is above every revision that the process was given or has read.
 * - Between two processes it needs clocks that differ by less than the time between making an item and making it again.
 *   Should they not, the digits below the millisecond, which are random, still keep one revision from being given twice.
 */
export class Revisions {
  readonly #clock: Clock;
  #highest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A revision above all that this process knows. */
  fresh(): number {
    const now = Math.floor(this.#clock.now()) * PER_MILLISECOND + randomInt(PER_MILLISECOND);
    return this.seen(Math.max(now, this.#highest + 1));
  }

  /** Notes a revision, whoever gave it. */
  seen(revision: number): number {
    this.#highest = Math.max(this.#highest, revision);
    return revision;
  }
}
