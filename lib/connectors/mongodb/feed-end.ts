import { type ResumeToken, timeOf } from './feed-position';

/** Idle shards of a cluster tell that nothing has happened every 10 s. */
const LONGEST_SILENCE_MS = 15_000;
const SILENCE_MS = 1000;

/** Where a read ends that does not follow: at the newest change that was there when it began. */
export class FeedEnd {
  readonly #time: bigint | undefined;
  #token: string | undefined;
  #since = performance.now();

  constructor(time: bigint | undefined) {
    this.#time = time;
  }

  /** It lies before a change of this time. */
  isBefore(time: bigint): boolean {
    return this.#time !== undefined && time > this.#time;
  }

  /** It lies before a place that the server has nothing behind at the moment. */
  isReached(token: ResumeToken): boolean {
    const time = timeOf(token);
    if (time !== undefined && this.#time !== undefined && time >= this.#time) return true;
    // Not all servers tell the time: then it is where nothing has moved for a while.
    const text = JSON.stringify(token);
    if (text !== this.#token) this.#since = performance.now();
    this.#token = text;
    const silence = time === undefined || this.#time === undefined ? SILENCE_MS : LONGEST_SILENCE_MS;
    return performance.now() - this.#since >= silence;
  }
}
