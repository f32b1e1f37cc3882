import { createHash } from 'node:crypto';
import type { Row, Value } from '../../../core/batch';
import { Fault } from '../../../core/fault';
import { textOf } from './relation';

// About 100 MB.
const MOST_IN_ONE_VALUE = 500_000;

/**
 * Puts an id before rows without a key, which come in the order of their cursor: a hash of the row, and its number among
 * equal rows of one cursor value. Read again from the first row of any cursor value, the same rows get the same ids.
 */
export class RecordIds {
  readonly #stream: string;
  readonly #place: number;
  readonly #seen = new Map<string, number>();
  #cursor: string | undefined;

  /** `place` is that of the cursor in the rows. */
  constructor(stream: string, place: number) {
    this.#stream = stream;
    this.#place = place;
  }

  add(row: Row): Row {
    const cursor = cellText(row[this.#place]);
    if (cursor !== this.#cursor) {
      this.#seen.clear();
      this.#cursor = cursor;
    }
    const hash = createHash('md5').update(rowText(row)).digest('hex');
    const number = (this.#seen.get(hash) ?? 0) + 1;
    this.#seen.set(hash, number);
    if (this.#seen.size > MOST_IN_ONE_VALUE) throw this.#tooCoarse();
    return [`${hash}-${number}`, ...row];
  }

  #tooCoarse(): Fault {
    return new Fault(
      'config',
      'cursor_too_coarse',
      `reading ${this.#stream}: more than ${MOST_IN_ONE_VALUE} rows without a key share one cursor value`,
      { hint: 'Choose a finer cursor, add a primary key, or read the stream fully each time.' },
    );
  }
}

/** A row as text that no other row has. */
export function rowText(row: readonly Value[]): string {
  return row.map(cellText).join('\u0001');
}

function cellText(value: Value | undefined): string {
  if (value === null || value === undefined) return '\u0000';
  const text = textOf(value);
  return `${text.length}:${text}`;
}
