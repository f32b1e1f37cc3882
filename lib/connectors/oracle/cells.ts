import type { Row } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { Size } from '../shared/sql/session';
import type { OracleColumn } from './types';

const GROWTH = 4;
const MOST_ROWS = 5000;

/** Makes values of the driver's cells, and batches of rows; tells how many rows are worth asking for at a time. */
export class RowCutter {
  readonly #columns: readonly OracleColumn[];
  readonly #size: Size;
  #filling: Row[] = [];
  #bytes = 0;
  #seenRows = 0;
  #seenBytes = 0;

  constructor(columns: readonly OracleColumn[], size: Size) {
    this.#columns = columns;
    this.#size = size;
  }

  /** Takes a row; gives a batch when that is full. */
  add(cells: readonly unknown[]): Row[] | undefined {
    this.#filling.push(decoded(cells, this.#columns));
    const bytes = cells.reduce((sum: number, cell) => sum + weightOf(cell), 0);
    this.#bytes += bytes;
    this.#seenRows++;
    this.#seenBytes += bytes;
    return this.#filling.length >= this.#size.rows || this.#bytes >= this.#size.bytes ? this.rest() : undefined;
  }

  /** What is left, if anything. */
  rest(): Row[] | undefined {
    const batch = this.#filling;
    this.#filling = [];
    this.#bytes = 0;
    return batch.length > 0 ? batch : undefined;
  }

  /** About a batch of rows like those so far; the answer to one call is held whole. */
  worthAsking(asked: number): number {
    const average = Math.max(1, this.#seenBytes / Math.max(1, this.#seenRows));
    const fitting = Math.floor(this.#size.bytes / average);
    return Math.max(1, Math.min(fitting, this.#size.rows, asked * GROWTH, MOST_ROWS));
  }
}

function decoded(cells: readonly unknown[], columns: readonly OracleColumn[]): Row {
  try {
    return columns.map(({ decode }, index) => {
      const cell = cells[index];
      return cell === null || cell === undefined ? null : decode(cell);
    });
  } catch (error) {
    throw error instanceof Fault ? ofRow(error, cells, columns) : error;
  }
}

// The driver makes strings of two bytes a character.
function weightOf(cell: unknown): number {
  if (typeof cell === 'string') return cell.length * 2;
  return Buffer.isBuffer(cell) ? cell.length : 8;
}

function ofRow(
  { kind, code, message, hint }: Fault,
  cells: readonly unknown[],
  columns: readonly OracleColumn[],
): Fault {
  const key = columns.flatMap(({ isKey, column }, index) =>
    isKey ? [`${column.name} = ${textCell(cells[index])}`] : [],
  );
  const row = key.length === 0 ? 'a row without a key' : key.join(', ');
  return new Fault(kind, code, `${message} (${row})`, hint === undefined ? {} : { hint });
}

/** A cell of a small result. */
export function textCell(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value ? '1' : '0';
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}
