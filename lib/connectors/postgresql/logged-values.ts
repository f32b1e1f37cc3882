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

/**
 * Reads amounts of money in the form of the language C, such as `-$1,234.50`: with two decimals, however many the database
 * gives them, which is `decimals`.
 */
export function loggedMoney(decimals: number): ReadCell<Value> {
  return (bytes, start, end) => {
    const amount = bytes.toString('latin1', start, end);
    const sign = amount.startsWith('-') ? '-' : '';
    const digits = String(BigInt(amount.replaceAll(/\D/g, ''))).padStart(decimals + 1, '0');
    const point = digits.length - decimals;
    return sign + (decimals === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`);
  };
}

/** How the cells of a column are read that the log tells as text. */
export function loggedReader(column: Column): ReadCell<Value> {
  return READERS[column.type];
}
