import type { Value } from '../../core/batch';
import type { Column, ColumnType } from '../../core/schema';
import type { CopyFields } from './copy-fields';

/** Takes the next field of COPY's text format as a value. */
export type ReadField = (fields: CopyFields) => Value;

const HEX_PREFIX = '\\x';

const text: ReadField = (fields) => fields.text();
const plain: ReadField = (fields) => fields.plain();

// What the server itself writes as ASCII without escapes is plain.
const READERS: { readonly [type in ColumnType]: ReadField } = {
  bool: (fields) => {
    const field = fields.plain();
    return field === null ? null : field === 't';
  },
  int32: (fields) => {
    const field = fields.integer();
    return typeof field === 'string' ? +field : field;
  },
  int64: (fields) => {
    const field = fields.integer();
    return field === null ? null : BigInt(field);
  },
  float64: (fields) => {
    const field = fields.plain();
    return field === null ? null : +field;
  },
  decimal: plain,
  text,
  json: text,
  uuid: plain,
  bytes: (fields) => {
    const field = fields.text();
    return field === null
      ? null
      : Buffer.from(field.startsWith(HEX_PREFIX) ? field.slice(HEX_PREFIX.length) : field, 'hex');
  },
  date: plain,
  time: plain,
  timestamp: plain,
  timestamptz: plain,
};

/** How the fields of a column are read. */
export function fieldReader(column: Column): ReadField {
  return READERS[column.type];
}

/** The text that PostgreSQL reads as this value again. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (value instanceof Uint8Array) return HEX_PREFIX + Buffer.from(value).toString('hex');
  if (Object.is(value, -0)) return '-0';
  return String(value);
}
