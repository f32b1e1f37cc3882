import type { Batch, RowBatch } from '../core/batch';
import type { Addition } from '../core/destination';
import type { PipedBatch } from '../core/pipeline';
import type { BatchReader } from './batch-reader';
import { LATE, TimeLimit } from './time-limit';

/** Rejected records are held until the transaction ends. */
const MOST_REJECTED = 1000;

/** Where a group of batches ends at the latest. */
interface GroupLimits {
  readonly batches: number;
  readonly ms: number;
  /** True when the worker is to leave at the next batch. */
  isOver(): boolean;
  /** As the port of the same name. */
  every(ms: number, work: () => void): () => void;
}

/** Row batches of one schema that a load adds in one transaction. A batch of another kind, or the source's failure, ends it. */
export class Group {
  readonly #reader: BatchReader;
  readonly #limits: GroupLimits;
  readonly #pipe: (batch: RowBatch) => PipedBatch | Promise<PipedBatch>;
  #last: RowBatch;
  #rejected = 0;
  #skipped = 0;
  #failure: { readonly error: unknown } | undefined;

  /** `pipe` gives a batch as it is to be written. */
  constructor(
    first: RowBatch,
    reader: BatchReader,
    pipe: (batch: RowBatch) => PipedBatch | Promise<PipedBatch>,
    limits: GroupLimits,
  ) {
    this.#last = first;
    this.#reader = reader;
    this.#pipe = pipe;
    this.#limits = limits;
  }

  /** The last batch that was taken. */
  get last(): RowBatch {
    return this.#last;
  }

  /** Records that the pipeline rejected. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Records that failed and were left out. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Throws what the source failed with. What came before it is worth keeping, so this is asked for after the writing. */
  throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** The batches as they come; read once. */
  async *additions(): AsyncGenerator<Addition, void, undefined> {
    const { batches, ms, every, isOver } = this.#limits;
    const limit = new TimeLimit(every, ms);
    try {
      for (let count = 1; ; count++) {
        const piped = await this.#pipe(this.#last);
        this.#rejected += piped.rejected.length;
        this.#skipped += piped.skipped;
        yield piped;
        if (count >= batches || this.#rejected >= MOST_REJECTED || isOver()) return;
        const next = await this.#next(limit);
        if (next === undefined) return;
        this.#last = next;
      }
    } finally {
      limit.stop();
    }
  }

  async #next(limit: TimeLimit): Promise<RowBatch | undefined> {
    try {
      const next = await this.#reader.nextWithin(limit);
      if (next === undefined || next === LATE) return undefined;
      if (isAddition(next) && next.schema === this.#last.schema) return next;
      this.#reader.putBack(next);
    } catch (error) {
      this.#failure = { error };
    }
    return undefined;
  }
}

/** Whether a batch holds only whole records. */
export function isAddition(batch: Batch): batch is RowBatch {
  return batch.kind === 'rows' && batch.ops === undefined;
}
