import type { Value } from '../../core/batch';
import type { ColumnType } from '../../core/schema';
import type { Functions } from './functions';
import { dateOf, decimalOf, timeOf, timestampOf, varintOf } from './values';

/** How values of one CQL type are read. */
export interface TypeReading {
  readonly type: ColumnType;
  /** What is selected: the column as it is, its bytes, or its JSON text. */
  readonly form: 'plain' | 'bytes' | 'json';
  decode(value: unknown): Value;
}

const asIs = (value: unknown) => value as Value;
const shown = (value: unknown) => String(value);

function plain(type: ColumnType, decode: (value: unknown) => Value = asIs): TypeReading {
  return { type, form: 'plain', decode };
}

// The driver's own forms of these would lose digits, or have no value where the calendar of JavaScript ends.
function bytes(type: ColumnType, decode: (value: Buffer) => Value): TypeReading {
  return { type, form: 'bytes', decode: (value) => ((value as Buffer).length === 0 ? null : decode(value as Buffer)) };
}

const TYPES: { readonly [type: string]: TypeReading } = {
  ascii: plain('text'),
  text: plain('text'),
  varchar: plain('text'),
  boolean: plain('bool'),
  tinyint: plain('int32'),
  smallint: plain('int32'),
  int: plain('int32'),
  bigint: plain('int64'),
  counter: plain('int64'),
  float: plain('float64'),
  double: plain('float64'),
  blob: plain('bytes'),
  uuid: plain('uuid', shown),
  timeuuid: plain('uuid', shown),
  inet: plain('text', shown),
  duration: plain('text', (value) => String(value) || '0s'),
  varint: bytes('decimal', varintOf),
  decimal: bytes('decimal', decimalOf),
  date: bytes('date', dateOf),
  // It has nanoseconds; a time on its way has microseconds.
  time: bytes('text', timeOf),
  timestamp: bytes('timestamptz', timestampOf),
};
// `null` as JSON is what a column without a value gives.
const JSON_TEXT: TypeReading = {
  type: 'json',
  form: 'json',
  decode: (value) => (value === 'null' ? null : asIs(value)),
};
const CUSTOM: TypeReading = plain('bytes');

/** How a column of a CQL type, as the catalog writes it, is read. */
export function typeReading(type: string): TypeReading {
  if (Object.hasOwn(TYPES, type)) return TYPES[type] ?? CUSTOM;
  return type.startsWith("'") ? CUSTOM : JSON_TEXT;
}

/** Whether its bytes can be asked for, as those of every type that CQL knows by one word. */
export function hasBytes(type: string): boolean {
  return Object.hasOwn(TYPES, type);
}

/** Whether a value consists of several cells, each with a time of its own. */
export function isMultiCell(type: string): boolean {
  return !hasBytes(type) && !/^('|frozen<|tuple<|vector<)/.test(type);
}

/** The expression for a column in the list of what is selected. */
export function selected(name: string, type: string, functions: Functions): string {
  const { form } = typeReading(type);
  if (form === 'bytes') return `${functions.asBlob(type)}(${name})`;
  return form === 'json' ? `${functions.toJson}(${name})` : name;
}

/** The expression for the bytes of a part of the key, or its JSON text where they cannot be asked for. */
export function selectedKey(name: string, type: string, functions: Functions): string {
  if (type === 'blob') return name;
  return hasBytes(type) ? `${functions.asBlob(type)}(${name})` : `${functions.toJson}(${name})`;
}

/** A whole number as the driver gives it. */
export function bigintOf(value: unknown): bigint {
  return typeof value === 'bigint' ? value : BigInt(String(value));
}
