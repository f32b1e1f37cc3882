import type { Value } from '../../core/batch';
import type { Column, ColumnType } from '../../core/schema';
import type { ReadCell } from './pgoutput';

const HEX_PREFIX = '\\x';

const text: ReadCell<Value> = (bytes, start, end) => bytes.toString('utf8', start, end);
// What the server itself writes as ASCII.
const plain: ReadCell<Value> = (bytes, start, end) => bytes.toString('latin1', start, end);
const number: ReadCell<Value> = (bytes, start, end) => Number(bytes.toString('latin1', start, end));

// A scan has the same of a row as COPY writes it: see `fieldReader`.
const READERS: { readonly [type in ColumnType]: ReadCell<Value> } = {
  bool: (bytes, start) => bytes[start] === 't'.charCodeAt(0),
  int32: number,
  int64: (bytes, start, end) => BigInt(bytes.toString('latin1', start, end)),
  float64: number,
  decimal: plain,
  text,
  json: text,
  uuid: plain,
  bytes: (bytes, start, end) => Buffer.from(bytes.toString('latin1', start + HEX_PREFIX.length, end), 'hex'),
  date: plain,
  time: plain,
  timestamp: plain,
  timestamptz: plain,
};

/** Amounts of money come in the form of the language C, such as `-$1,234.50`. */
const money: ReadCell<Value> = (bytes, start, end) => bytes.toString('latin1', start, end).replaceAll(/[^\d.-]/g, '');

/** How the cells of a column are read that the log tells as text; `typeName` is that of its type in the table. */
export function loggedReader(column: Column, typeName: string): ReadCell<Value> {
  return typeName === 'money' ? money : READERS[column.type];
}
