import { type Batch, Op, type Row } from '../../core/batch';
import type { ReadRequest } from '../../core/connector';
import type { Position } from '../../core/position';
import type { StreamSchema } from '../../core/schema';

interface Group {
  readonly schema: StreamSchema;
  readonly rows: Row[];
  readonly ops: number[];
  sourceTime: number;
}

/** A change of one row. */
export interface RowChange {
  readonly schema: StreamSchema;
  readonly row: Row;
  readonly op: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * Changes between two places of a log, put together by stream: as they come, those of several tables in turns would make
 * batches of one row. Within a stream they keep their order. All batches but the last carry the position before the window:
 * whoever goes on from there reads the window again, which the keys absorb.
 */
export class ChangeWindow {
  readonly #size: ReadRequest['size'];
  readonly #groups = new Map<StreamSchema, Group>();
  #before: Position;
  #rows = 0;
  #bytes = 0;

  constructor(size: ReadRequest['size'], from: Position) {
    this.#size = size;
    this.#before = from;
  }

  /** Where it begins. */
  get before(): Position {
    return this.#before;
  }

  get isEmpty(): boolean {
    return this.#rows === 0;
  }

  get isFull(): boolean {
    return this.#rows >= this.#size.rows || this.#bytes >= this.#size.bytes;
  }

  /** Begins it, empty as it is, at another place. */
  moveTo(position: Position): void {
    this.#before = position;
  }

  add({ schema, row, op, at }: RowChange): void {
    let group = this.#groups.get(schema);
    if (group === undefined) {
      group = { schema, rows: [], ops: [], sourceTime: at };
      this.#groups.set(schema, group);
    }
    group.rows.push(row);
    group.ops.push(op);
    group.sourceTime = Math.max(group.sourceTime, at);
    this.#rows++;
  }

  /** Counts what a change took in the log. */
  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /** The batches up to `after`, where it begins then, empty. `open`: that is inside a transaction of the source. */
  flush(after: Position, open = false): Batch[] {
    const groups = [...this.#groups.values()];
    const before = this.#before;
    this.#groups.clear();
    this.#rows = 0;
    this.#bytes = 0;
    this.#before = after;
    return groups.map(({ ops, ...group }, index): Batch => {
      const isLast = index === groups.length - 1;
      return {
        kind: 'rows',
        ...group,
        after: isLast ? after : before,
        ...(ops.some((op) => op !== Op.Insert) && { ops: Uint8Array.from(ops) }),
        ...((open || !isLast) && { open: true as const }),
      };
    });
  }
}
