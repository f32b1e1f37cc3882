import { type Batch, Op, type Row } from '../../core/batch';
import type { StreamSchema } from '../../core/schema';
import { type FeedPosition, feedPosition } from './feed-position';

interface Pending {
  readonly schema: StreamSchema;
  readonly rows: Row[];
  readonly ops: number[];
}

/**
 * Changes of several tables between two places of the log, put together by table, as transactions often change tables in
 * turns. Within a table they keep their order. All batches but the last have the position before the window: whoever goes on
 * from there reads the window again, which the keys absorb.
 */
export class FeedWindow {
  readonly #pending = new Map<StreamSchema, Pending>();
  #before: FeedPosition;
  #rows = 0;
  #bytes = 0;
  #sourceTime: number | undefined;

  constructor(before: FeedPosition) {
    this.#before = before;
  }

  get before(): FeedPosition {
    return this.#before;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(schema: StreamSchema, op: number, row: Row): void {
    let pending = this.#pending.get(schema);
    if (pending === undefined) {
      pending = { schema, rows: [], ops: [] };
      this.#pending.set(schema, pending);
    }
    pending.rows.push(row);
    pending.ops.push(op);
    this.#rows++;
  }

  /** What a change took in the log, and when it was committed: milliseconds since 1970. */
  count(bytes: number, sourceTime: number): void {
    this.#bytes += bytes;
    this.#sourceTime = sourceTime;
  }

  /** Begins the window, which is empty, at another place. */
  move(to: FeedPosition): void {
    this.#before = to;
  }

  /** The batches; the window is empty then and begins at `after`. `open`: in the middle of a transaction. */
  *end(after: FeedPosition, open: boolean): Generator<Batch> {
    const pendings = [...this.#pending.values()];
    const time = this.#sourceTime === undefined ? {} : { sourceTime: this.#sourceTime };
    const before = feedPosition(this.#before);
    this.#pending.clear();
    this.#rows = 0;
    this.#bytes = 0;
    this.move(after);
    for (const [index, { schema, rows, ops }] of pendings.entries()) {
      const isLast = index === pendings.length - 1;
      const additions = ops.every((op) => op === Op.Insert);
      yield {
        kind: 'rows',
        schema,
        after: isLast ? feedPosition(after) : before,
        ...time,
        rows,
        ...(!additions && { ops: Uint8Array.from(ops) }),
        ...((open || !isLast) && { open: true as const }),
      };
    }
  }
}
