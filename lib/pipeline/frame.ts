import { Op, type Row, type RowBatch, type TextRows } from '../core/batch';
import type { Reason } from '../core/destination';
import type { Slot } from './layout';

/** What is known of a row on its way; marks are added up. */
export const Mark = {
  /** A step failed on it: nothing more is done with it. */
  Broken: 1,
  /** A filter leaves it out. */
  Filtered: 2,
  /** It tells of a deletion: only the cells of its key mean anything. */
  Deleted: 4,
  /** A rule failed on it; other rules still look at it, to name all reasons at once. */
  Invalid: 8,
} as const;

/** Marks of rows that a step leaves alone, for a field of the key and for any other. */
const PASSED_OVER_KEY = Mark.Broken | Mark.Filtered;
const PASSED_OVER = PASSED_OVER_KEY | Mark.Deleted;

/** Marks of rows that a step on this field leaves alone. */
export function passedOver(slot: Slot | undefined): number {
  return slot?.isKey ? PASSED_OVER_KEY : PASSED_OVER;
}

/** A failure that can happen on every row, prepared when the pipeline is bound. */
export interface Failure {
  readonly reason: Reason;
  readonly mark: typeof Mark.Broken | typeof Mark.Invalid;
  /** The cell that may be emptied instead of failing the record. */
  readonly emptied?: number;
}

/** The rows of one batch on their way. They are copies: the batch keeps the records as they came. */
export class Frame {
  readonly rows: Row[];
  readonly marks: Uint8Array;
  /** What the rows were taken out of, where only some of their cells were. */
  readonly text: TextRows | undefined;
  readonly reasons = new Map<number, Reason[]>();
  /** Columns of `text` whose cells a conversion left as they were written. */
  readonly asWritten = new Set<number>();
  filtered = 0;

  private constructor(rows: Row[], text?: TextRows) {
    this.rows = rows;
    this.marks = new Uint8Array(rows.length);
    this.text = text;
  }

  static ofRows({ rows, ops }: RowBatch, width: number): Frame {
    const frame = new Frame(rows.map((row) => copyOf(row, width)));
    if (ops === undefined) return frame;
    for (let index = 0; index < ops.length; index++) if (ops[index] === Op.Delete) frame.marks[index] = Mark.Deleted;
    return frame;
  }

  /** Only the cells of `columns` are decoded; the others are NULL here. */
  static ofText(text: TextRows, columns: readonly number[], width: number): Frame {
    const blank: Row = Array.from({ length: width }, () => null);
    const rows: Row[] = new Array(text.length);
    for (let index = 0; index < rows.length; index++) rows[index] = blank.slice();
    for (const column of columns) text.fill(rows, column);
    return new Frame(rows, text);
  }

  /** Notes a failure of one row, or empties its cell where that is allowed. */
  fail(index: number, { reason, mark, emptied }: Failure): void {
    const row = this.rows[index];
    if (emptied !== undefined && row !== undefined) {
      row[emptied] = null;
      return;
    }
    this.marks[index] = (this.marks[index] ?? 0) | mark;
    const known = this.reasons.get(index);
    if (known) known.push(reason);
    else this.reasons.set(index, [reason]);
  }

  /** Leaves a row out. */
  filter(index: number): void {
    this.marks[index] = (this.marks[index] ?? 0) | Mark.Filtered;
    this.filtered++;
  }
}

/** Made in its full width at once: a row that grows is copied again. */
function copyOf(row: Row, width: number): Row {
  const copy: Row = new Array(width);
  for (let place = 0; place < width; place++) copy[place] = row[place] ?? null;
  return copy;
}
