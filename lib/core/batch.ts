import type { Position } from './position';
import type { StreamSchema } from './schema';

/** An update that left this column out (an untouched TOAST value): keep what is stored. */
export const UNCHANGED: unique symbol = Symbol('unchanged');

/**
 * One cell, in exactly one form per {@link ColumnType}; `null` is SQL's NULL.
 *
 * - `bool`: boolean
 * - `int32`, `float64`: number (`float64` keeps NaN, the infinities and -0)
 * - `int64`: bigint
 * - `decimal`: plain decimal text without exponent, or `NaN`, `Infinity`, `-Infinity`
 * - `text`, `uuid`: string (uuid in lower case with dashes)
 * - `json`: the JSON text exactly as the source gave it (numbers keep all their digits)
 * - `bytes`: Uint8Array
 * - `date`: `YYYY-MM-DD`; `time`: `HH:MM:SS[.ffffff]`; `timestamp`: `YYYY-MM-DD HH:MM:SS[.ffffff]`;
 *   `timestamptz`: the same in UTC followed by `+00`. Years after 9999 have more digits, years before 1 are followed
 *   by ` BC` at the very end, and `infinity` and `-infinity` are allowed (PostgreSQL's ISO style).
 *
 * A scan and a feed of one connector give identical values.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array | typeof UNCHANGED;

/** Cells in the order of `schema.columns`. Rows are positional so that a batch costs few allocations. */
export type Row = Value[];

/** What happened to a row; the numbers are those of {@link RowBatch.ops}. */
export const Op = { Insert: 0, Update: 1, Delete: 2 } as const;

interface BatchBase {
  /** The same object from batch to batch until the shape changes, so that `!==` detects a change. */
  readonly schema: StreamSchema;
  /** Reading from here yields exactly what follows this batch. */
  readonly after: Position;
  /** Milliseconds since 1970 (source's clock) of the newest change inside: freshness. */
  readonly sourceTime?: number;
}

/**
 * Rows in the text form of PostgreSQL's COPY, of which it is known where the cells are. A cell is decoded when somebody asks
 * for it, and a destination that takes this form may copy cells as they are.
 */
export interface TextRows {
  readonly length: number;
  /** Cells in a row. */
  readonly width: number;
  /** Whole lines. */
  readonly bytes: Uint8Array;
  /**
   * Where each cell begins in `bytes`: one number more than cells for each row. A cell ends one byte (a tab or a newline)
   * before the number that follows its own.
   */
  readonly starts: Uint32Array;
  cell(row: number, column: number): Value;
  /** Puts the cells of a column into rows, one for each here, at the same place. */
  fill(rows: readonly Row[], column: number): void;
  row(row: number): Row;
}

/** A column of which the cells are still text. */
export interface TextColumn {
  /** The column of {@link TextRows} that holds its cells. */
  readonly text: number;
  /**
   * What makes its values of what the text is decoded to, where they are of another type now. The cells are NULL or written
   * such that PostgreSQL, too, reads these very values out of them.
   */
  readonly convert?: (value: Exclude<Value, null | typeof UNCHANGED>) => Value;
}

/** A cell of such a column, in the row of that number. */
export function textCell(text: TextRows, row: number, { text: column, convert }: TextColumn): Value {
  const value = text.cell(row, column);
  return convert === undefined || value === null || value === UNCHANGED ? value : convert(value);
}

/** Rows of which some columns are still those of the text that they came as. */
export interface MixedRows {
  readonly text: TextRows;
  /** For each column of the schema: its text, or else the place of its cells in each of `rows`. */
  readonly columns: readonly (TextColumn | { readonly cell: number })[];
  readonly rows: readonly Row[];
  /** The row of `text` that each row was made of; absent where all are there. */
  readonly origin?: readonly number[];
}

/**
 * Decoded rows, or rows that are decoded when `rows` is first looked at. No rows and a moved `after` is a heartbeat.
 * Without `ops` every row is an insert; a delete needs only the cells of the key, the others may be anything.
 */
export interface RowBatch extends BatchBase {
  readonly kind: 'rows';
  readonly rows: Row[];
  /** The same rows before they are decoded. */
  readonly text?: TextRows;
  /** The same rows before they are decoded and joined. */
  readonly mixed?: MixedRows;
  /** One {@link Op} per row. */
  readonly ops?: Uint8Array;
  /** The batch ends inside a transaction of the source. */
  readonly open?: true;
}

/** A wire format of whole rows that a destination can load without anybody parsing it. */
export type ByteFormat = 'pgcopy-text' | 'pgcopy-binary' | 'csv' | 'ndjson';

/**
 * Undecoded rows of one bounded range: a complete document of `format` (header and trailer included) with the columns
 * of `schema`, in order. It is streamed once; when the body throws, nothing of it counts.
 */
export interface ByteBatch extends BatchBase {
  readonly kind: 'bytes';
  readonly format: ByteFormat;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The source emptied the stream. */
export interface TruncateBatch extends BatchBase {
  readonly kind: 'truncate';
}

/** The unit of transfer: rows (or bytes) of one stream with one schema, and the position after them. */
export type Batch = RowBatch | ByteBatch | TruncateBatch;
