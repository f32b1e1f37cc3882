import type { Batch } from '../core/batch';
import { LATE, type TimeLimit } from './time-limit';

/** Batches one at a time. One that was not wanted can be put back, and nobody needs to wait for the next without end. */
export class BatchReader {
  readonly #iterator: AsyncIterator<Batch>;
  #asked: Promise<IteratorResult<Batch>> | undefined;
  #ended = false;

  constructor(batches: AsyncIterable<Batch>) {
    this.#iterator = batches[Symbol.asyncIterator]();
  }

  /** The next batch; `undefined` behind the last. */
  async next(): Promise<Batch | undefined> {
    return this.#ended ? undefined : this.#taken(await this.#ask());
  }

  /** Like {@link next}, or `LATE`; the batch is then kept for the next call. */
  async nextWithin(limit: TimeLimit): Promise<Batch | undefined | typeof LATE> {
    if (this.#ended) return undefined;
    const result = await limit.wait(this.#ask());
    return result === LATE ? LATE : this.#taken(result);
  }

  /** The next call gives this batch. */
  putBack(batch: Batch): void {
    this.#asked = Promise.resolve({ value: batch, done: false });
  }

  /** Ends the reading; `stop` interrupts what is under way. */
  async close(stop: () => void): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    stop();
    await this.#iterator.return?.();
  }

  #ask(): Promise<IteratorResult<Batch>> {
    if (this.#asked === undefined) {
      this.#asked = this.#iterator.next();
      // Handled by the call that awaits it, which may be the next one; this only keeps it from being reported before.
      this.#asked.catch(() => undefined);
    }
    return this.#asked;
  }

  #taken(result: IteratorResult<Batch>): Batch | undefined {
    this.#asked = undefined;
    this.#ended = result.done === true;
    return result.done ? undefined : result.value;
  }
}
