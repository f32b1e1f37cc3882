import type { ColumnType } from '../../core/schema';
import { bound, type Fragment, sql } from '../shared/sql/fragment';
import type { SqlColumn } from '../shared/sql/relation';
import type { CatalogColumn } from './catalog';
import {
  asBigint,
  asBoolean,
  asBytes,
  asDecimal,
  asFineTime,
  asNumber,
  asText,
  asTime,
  type Decode,
  oracleTime,
} from './decode';
import { quoteIdentifier } from './identifiers';

/** How some types are read. */
export interface TypeOptions {
  readonly nanoseconds: 'text' | 'fail';
}

/** By which clock a column is compared with now. */
export type Clock = 'date' | 'timestamp' | 'zoned';

/** A column as it is read. */
export interface OracleColumn extends SqlColumn {
  readonly decode: Decode;
  /** It is of the key, by which a row is named where it cannot be read. */
  readonly isKey: boolean;
  /** Single values may be of any size. */
  readonly isLarge: boolean;
  readonly clock?: Clock;
}

interface Reading {
  readonly type: ColumnType;
  readonly decode: Decode;
  /** What is selected; the column itself by default. */
  readonly expression?: string;
  /** A text of ours, to be compared; as it is by default. */
  readonly bind?: (text: string) => Fragment;
  readonly clock?: Clock;
  readonly isLarge?: true;
}

type Read = (source: CatalogColumn, options: TypeOptions, name: string) => Reading;

const INT32_DIGITS = 9;
const INT64_DIGITS = 18;
const KEPT_DIGITS = 6;
const FINEST = 9;
const DATE_FORMAT = 'SYYYY-MM-DD HH24:MI:SS';
const TIME_FORMAT = `${DATE_FORMAT}.FF${FINEST}`;

const asNumberText = (text: string) => sql`to_number(${bound(text)})`;

const number: Read = ({ precision, scale = 0 }) => {
  // Without a precision any number may be in it; a scale below zero adds digits before the point.
  const digits = precision === undefined ? Number.POSITIVE_INFINITY : precision - scale;
  const bind = asNumberText;
  if (scale > 0 || digits > INT64_DIGITS) return { type: 'decimal', decode: asDecimal, bind };
  return digits > INT32_DIGITS ? { type: 'int64', decode: asBigint, bind } : { type: 'int32', decode: asNumber, bind };
};

const text: Read = () => ({ type: 'text', decode: asText });
// What the server's own character set lacks arrives all the same.
const national: Read = () => ({ type: 'text', decode: asText, bind: (value) => sql`unistr(${bound(ofAscii(value))})` });
const long: Read = () => ({ type: 'text', decode: asText, isLarge: true });
const longBytes: Read = () => ({ type: 'bytes', decode: asBytes, isLarge: true });
const double: Read = () => ({ type: 'float64', decode: asNumber });
const interval: Read = (_source, _options, name) => ({ type: 'text', decode: asText, expression: `to_char(${name})` });

function ofAscii(value: string): string {
  return value.replace(/[^ -~]|\\/g, (unit) => `\\${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

interface Timed {
  /** What is written out: the column in UTC, if it has a zone. */
  readonly selected: string;
  readonly zone: string;
  bind(text: string): Fragment;
}

function timed({ name, scale = KEPT_DIGITS }: CatalogColumn, { nanoseconds }: TypeOptions, of: Timed): Reading {
  const asItIs = scale > KEPT_DIGITS && nanoseconds === 'text';
  const type = of.zone === '' ? 'timestamp' : 'timestamptz';
  return {
    type: asItIs ? 'text' : type,
    decode: asItIs ? asFineTime(of.zone) : asTime(name, of.zone),
    expression: `to_char(${of.selected}, '${TIME_FORMAT}')`,
    bind: of.bind,
    clock: of.zone === '' ? 'timestamp' : 'zoned',
  };
}

const toTimestamp = (value: string) => sql`to_timestamp(${bound(oracleTime(value, FINEST))}, '${TIME_FORMAT}')`;

const TYPES: { readonly [type: string]: Read } = {
  NUMBER: number,
  FLOAT: () => ({ type: 'decimal', decode: asDecimal, bind: asNumberText }),
  BINARY_FLOAT: double,
  BINARY_DOUBLE: double,
  BOOLEAN: () => ({ type: 'bool', decode: asBoolean }),
  CHAR: text,
  VARCHAR2: text,
  NCHAR: national,
  NVARCHAR2: national,
  CLOB: long,
  NCLOB: long,
  LONG: long,
  RAW: () => ({ type: 'bytes', decode: asBytes, bind: (value) => sql`hextoraw(${bound(value)})` }),
  BLOB: longBytes,
  'LONG RAW': longBytes,
  ROWID: text,
  UROWID: text,
  DATE: ({ name: column }, _options, name) => ({
    type: 'timestamp',
    decode: asTime(column, ''),
    expression: `to_char(${name}, '${DATE_FORMAT}')`,
    bind: (value) => sql`to_date(${bound(oracleTime(value, 0))}, '${DATE_FORMAT}')`,
    clock: 'date',
  }),
  TIMESTAMP: (source, options, name) => timed(source, options, { selected: name, zone: '', bind: toTimestamp }),
  'TIMESTAMP WITH TIME ZONE': (source, options, name) =>
    timed(source, options, {
      selected: `sys_extract_utc(${name})`,
      zone: '+00',
      bind: (value) => sql`from_tz(${toTimestamp(value)}, '+00:00')`,
    }),
  // Comes in the time zone of the session, which is UTC.
  'TIMESTAMP WITH LOCAL TIME ZONE': (source, options, name) =>
    timed(source, options, {
      selected: name,
      zone: '+00',
      bind: (value) => sql`cast(${toTimestamp(value)} as timestamp(9) with local time zone)`,
    }),
  'INTERVAL YEAR TO MONTH': interval,
  'INTERVAL DAY TO SECOND': interval,
  JSON: (_source, _options, name) => ({
    type: 'json',
    decode: asText,
    expression: `json_serialize(${name} returning clob)`,
    isLarge: true,
  }),
  VECTOR: (_source, _options, name) => ({
    type: 'json',
    decode: asText,
    expression: `from_vector(${name} returning clob)`,
    isLarge: true,
  }),
  XMLTYPE: (_source, _options, name) => ({
    type: 'text',
    decode: asText,
    expression: `xmlserialize(content ${name} as clob)`,
    isLarge: true,
  }),
};

/** Whether there is a way to read such a column. */
export function isKnown({ type }: CatalogColumn): boolean {
  return Object.hasOwn(TYPES, type);
}

/** How a column is read; `undefined` where there is no way. */
export function readColumn(source: CatalogColumn, options: TypeOptions, isKey: boolean): OracleColumn | undefined {
  const name = `t.${quoteIdentifier(source.name)}`;
  const reading = isKnown(source) ? TYPES[source.type]?.(source, options, name) : undefined;
  if (reading === undefined) return undefined;
  const { type, decode, expression = name, bind = bound, isLarge = false, clock } = reading;
  return {
    column: { name: source.name, type, nullable: source.nullable, native: `oracle/${source.native}` },
    expression,
    order: name,
    decode,
    isKey,
    isLarge,
    bind,
    ...(clock !== undefined && { clock }),
  };
}

/** The number of the newest change of a row, or of the block it lies in. */
export const ROW_SCN: OracleColumn = {
  column: { name: 'ORA_ROWSCN', type: 'int64', nullable: false, native: 'oracle/ORA_ROWSCN' },
  expression: 't.ora_rowscn',
  order: 't.ora_rowscn',
  decode: asBigint,
  isKey: false,
  isLarge: false,
  bind: asNumberText,
};

/** Where a row lies. It is never a column of a stream. */
export const ROW_ADDRESS: OracleColumn = {
  column: { name: 'ROWID', type: 'text', nullable: false, native: 'oracle/ROWID' },
  expression: 'rowidtochar(t.rowid)',
  order: 't.rowid',
  decode: asText,
  isKey: false,
  isLarge: false,
  bind: (value) => sql`chartorowid(${bound(value)})`,
};

const TIMES = new Set(['DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'TIMESTAMP WITH LOCAL TIME ZONE']);
const ORDERED = new Set(['NUMBER', 'FLOAT', 'CHAR', 'VARCHAR2', 'NCHAR', 'NVARCHAR2', 'RAW', ...TIMES]);

/** Whether values of the type usually grow with each change. */
export function isCursorType({ type }: CatalogColumn): boolean {
  return type === 'NUMBER' || TIMES.has(type);
}

/** Whether many rows are likely to share a value. */
export function isCoarse({ type, scale = KEPT_DIGITS }: CatalogColumn): boolean {
  return type === 'DATE' || (TIMES.has(type) && scale < 3);
}

/** Whether rows can be read in the order of such a column. */
export function isOrdered({ type }: CatalogColumn): boolean {
  return ORDERED.has(type);
}
