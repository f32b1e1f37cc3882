import type { UNCHANGED, Value } from '../../core/batch';
import type { Column, ColumnType } from '../../core/schema';
import type { Conversion, ConversionName } from '../../core/transformations';
import { toBoolean } from './boolean';
import { toDate, toDatetime } from './dates';
import { toBigint, toDecimal, toFloat, toInteger } from './numbers';
import { toBytes, toJson, toText, toUuid } from './texts';

/** A cell that holds something. */
export type Present = Exclude<Value, null | typeof UNCHANGED>;

/** The value is none of the wanted type. */
export const FAILED: unique symbol = Symbol('failed');

/** Turns one value into another type. */
export type Convert = (value: Present) => Value | typeof FAILED;

/** How the values of one column become values of another type. */
export interface Converter {
  readonly type: ColumnType;
  /** Absent: they are so already. */
  readonly convert?: Convert;
  /** Whether PostgreSQL, too, reads out of a text what `convert` makes of it, so that it may go on as it was written. */
  readonly isPlain?: (text: string) => boolean;
  /** What is wrong with a value that failed. */
  readonly problem: string;
}

/** Makes a converter; a text says what is wrong with the options, `undefined` that there is no way between the types. */
export type MakeConverter = (options: Conversion, from: Column) => Converter | string | undefined;

const CONVERTERS: { readonly [name in ConversionName]: MakeConverter } = {
  datetime: toDatetime,
  date: toDate,
  integer: toInteger,
  bigint: toBigint,
  decimal: toDecimal,
  float: toFloat,
  boolean: toBoolean,
  string: toText,
  json: toJson,
  uuid: toUuid,
  bytes: toBytes,
};

/** The converter of one column; see {@link MakeConverter}. */
export function converter(options: Conversion, from: Column): Converter | string | undefined {
  const made = CONVERTERS[options.type](options, from);
  if (made === undefined || typeof made === 'string' || made.convert === undefined) return made;
  return { ...made, convert: prepared(made.convert, options, from) };
}

/** Unpacks JSON scalars first, and takes an empty text for nothing unless it is to fail. */
function prepared(convert: Convert, { type, empty = 'null' }: Conversion, from: Column): Convert {
  if (type === 'string' || type === 'json' || type === 'bytes') return convert;
  const inner = empty === 'null' ? emptyIsNull(convert) : convert;
  return from.type === 'json' ? (value) => unpacked(value, inner) : inner;
}

function emptyIsNull(convert: Convert): Convert {
  return (value) => (typeof value === 'string' && isBlank(value) ? null : convert(value));
}

/** Only a text that begins with a space is looked through. */
function isBlank(text: string): boolean {
  return text.length === 0 || (text.charCodeAt(0) <= 0x20 && text.trim() === '');
}

function unpacked(value: Present, convert: Convert): Value | typeof FAILED {
  const text = String(value).trim();
  if (text === 'null') return null;
  if (text === 'true' || text === 'false') return convert(text === 'true');
  if (!text.startsWith('"')) return text.startsWith('{') || text.startsWith('[') ? FAILED : convert(text);
  return convert(JSON.parse(text) as string);
}

/** Why values of a column can never become what is wanted. */
export function impossible({ name, type }: Column, wanted: ConversionName): string {
  return `"${name}" holds ${type}, which cannot become ${wanted}`;
}
