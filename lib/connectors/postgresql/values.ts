import type { Value } from '../../core/batch';
import type { Column, ColumnType } from '../../core/schema';

/** Makes a value of one field of COPY's text format, which is neither null nor holds an escape. */
export type Convert = (field: string) => Value;

const HEX_PREFIX = '\\x';

const CONVERT: { readonly [type in ColumnType]?: Convert } = {
  bool: (field) => field === 't',
  int32: (field) => +field,
  int64: (field) => BigInt(field),
  float64: (field) => +field,
  bytes: (field) => Buffer.from(field.startsWith(HEX_PREFIX) ? field.slice(HEX_PREFIX.length) : field, 'hex'),
};

/** The conversion of a column; `undefined` where the text is the value. */
export function converter(column: Column): Convert | undefined {
  return CONVERT[column.type];
}

/** The text that PostgreSQL reads as this value again. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (value instanceof Uint8Array) return HEX_PREFIX + Buffer.from(value).toString('hex');
  if (Object.is(value, -0)) return '-0';
  return String(value);
}
