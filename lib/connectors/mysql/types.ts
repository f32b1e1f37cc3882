import type { ColumnType } from '../../core/schema';
import { bound, type Fragment, sql } from '../shared/sql/fragment';
import { boundText, type SqlColumn } from '../shared/sql/relation';
import {
  type Decode,
  dateDecoder,
  decodeBigint,
  decodeBits,
  decodeBoolean,
  decodeBytes,
  decodeFilledDecimal,
  decodeFloat,
  decodeGeometry,
  decodeInteger,
  decodeManyBits,
  decodeNumber,
  decodePlain,
  decodeText,
  type ZeroDates,
} from './decode';
import { quoteIdentifier } from './identifiers';
import { BYTES, type KeySpace, textKeys, UUIDS } from './key-space';

/** A column as the catalog tells it. */
export interface CatalogColumn {
  readonly name: string;
  readonly nullable: boolean;
  /** `int` of `int(10) unsigned`. */
  readonly dataType: string;
  readonly columnType: string;
  /** Digits of the fraction of a second. */
  readonly fraction: number;
  /** MariaDB keeps JSON as text with a check. */
  readonly isJson: boolean;
  readonly readable: boolean;
  /** Where it holds text. */
  readonly text?: { readonly characterSet: string; readonly collation: string };
}

/** How some types are read. */
export interface TypeOptions {
  readonly tinyint1AsBoolean: boolean;
  readonly zeroDates: ZeroDates;
}

/** A column as it is read off the wire. */
export interface MysqlColumn extends SqlColumn {
  readonly decode: Decode;
  /** It is of the key, by which a row is named where it cannot be read. */
  readonly isKey: boolean;
  /** A time by which clocks can be asked, whatever type it is read as. */
  readonly clock?: ColumnType;
  /** Where it may be cut into ranges, though it holds no numbers. */
  readonly keySpace?: KeySpace;
}

interface Reading {
  readonly type: ColumnType;
  readonly decode: Decode;
  /** What is selected; the column itself by default. */
  readonly expression?: string;
  readonly order?: string;
  readonly bind?: (text: string) => Fragment;
  readonly nullable?: true;
  readonly clock?: ColumnType;
  readonly keySpace?: KeySpace;
}

type Read = (source: CatalogColumn, options: TypeOptions, name: string) => Reading;

const LONGEST_INT64_BITS = 63;

const text: Read = (source) => ({
  type: 'text',
  decode: decodeText,
  ...(source.text && { keySpace: textKeys(source.text) }),
});
const bytes: Read = () => ({ type: 'bytes', decode: decodeBytes, keySpace: BYTES });
const plain: Read = () => ({ type: 'text', decode: decodePlain });
const int32: Read = () => ({ type: 'int32', decode: decodeInteger });
const geometry: Read = () => ({ type: 'bytes', decode: decodeGeometry });
// Ordered by number, compared by text: so neither is left to the server.
const listed: Read = (_source, _options, name) => ({ type: 'text', decode: decodeText, order: `concat(${name})` });
const filled = ({ columnType }: CatalogColumn) => columnType.includes('zerofill');

const TYPES: { readonly [dataType: string]: Read } = {
  tinyint: ({ columnType }, { tinyint1AsBoolean }) =>
    tinyint1AsBoolean && /^tinyint\(1\)/.test(columnType)
      ? { type: 'bool', decode: decodeBoolean }
      : { type: 'int32', decode: decodeInteger },
  smallint: int32,
  mediumint: int32,
  year: int32,
  int: (source) =>
    unsigned(source) ? { type: 'int64', decode: decodeBigint } : { type: 'int32', decode: decodeInteger },
  bigint: (source) =>
    unsigned(source)
      ? {
          type: 'decimal',
          decode: filled(source) ? decodeFilledDecimal : decodePlain,
          bind: (value) => bound(BigInt(value)),
        }
      : { type: 'int64', decode: decodeBigint },
  decimal: (source) => ({
    type: 'decimal',
    decode: filled(source) ? decodeFilledDecimal : decodePlain,
    // A text would be compared as a float.
    bind: (value) =>
      sql`cast(${bound(value)} as ${/^decimal\(\d+,\d+\)/.exec(source.columnType)?.[0] ?? 'decimal(65,30)'})`,
  }),
  // As a float it would be written with six digits.
  float: (_source, _options, name) => ({
    type: 'float64',
    decode: decodeFloat,
    expression: `${name} + 0e0`,
    bind: (value) => bound(Math.fround(Number(value))),
  }),
  double: () => ({ type: 'float64', decode: decodeNumber }),
  bit: ({ columnType }) =>
    Number(/\d+/.exec(columnType)?.[0] ?? 1) > LONGEST_INT64_BITS
      ? { type: 'decimal', decode: decodeManyBits, bind: (value) => bound(BigInt(value)) }
      : { type: 'int64', decode: decodeBits },
  char: text,
  varchar: text,
  tinytext: text,
  text,
  mediumtext: text,
  longtext: ({ isJson }) => ({ type: isJson ? 'json' : 'text', decode: decodeText }),
  json: () => ({ type: 'json', decode: decodeText }),
  enum: listed,
  set: listed,
  binary: bytes,
  varbinary: bytes,
  tinyblob: bytes,
  blob: bytes,
  mediumblob: bytes,
  longblob: bytes,
  vector: bytes,
  // From -838 to 838 hours.
  time: plain,
  date: (source, options) => dated(source, options, 'date', ''),
  datetime: (source, options) => dated(source, options, 'timestamp', ''),
  timestamp: (source, options) => dated(source, options, 'timestamptz', '+00'),
  uuid: () => ({ type: 'uuid', decode: decodePlain, keySpace: UUIDS }),
  inet4: plain,
  inet6: plain,
  geometry,
  point: geometry,
  linestring: geometry,
  polygon: geometry,
  multipoint: geometry,
  multilinestring: geometry,
  multipolygon: geometry,
  geometrycollection: geometry,
  geomcollection: geometry,
};

/** How a column is read. One of a key has a value in every row, and is compared by it. */
export function readColumn(source: CatalogColumn, options: TypeOptions, isKey: boolean): MysqlColumn {
  const name = `t.${quoteIdentifier(source.name)}`;
  const own = isKey && options.zeroDates === 'null' ? { ...options, zeroDates: 'fail' as const } : options;
  const reading = (TYPES[source.dataType] ?? text)(source, own, name);
  const { type, decode, expression = name, order = name, bind, clock, keySpace } = reading;
  const column = {
    name: source.name,
    type,
    nullable: source.nullable || reading.nullable === true,
    native: `mysql/${source.columnType.startsWith('enum(') || source.columnType.startsWith('set(') ? source.dataType : source.columnType}`,
  };
  const usual = (value: string) => boundText(column, value);
  return {
    ...{ column, expression, order, decode, isKey, bind: bind ?? usual },
    ...(clock && { clock }),
    ...(keySpace && { keySpace }),
  };
}

function dated(source: CatalogColumn, { zeroDates }: TypeOptions, type: ColumnType, zone: string): Reading {
  const decode = dateDecoder(source.name, zeroDates, zone);
  if (zeroDates === 'text') return { type: 'text', decode, clock: type };
  const bind = (value: string) => bound(value.endsWith('+00') ? value.slice(0, -3) : value);
  return { type, decode, bind, clock: type, ...(zeroDates === 'null' && { nullable: true }) };
}

function unsigned({ columnType }: CatalogColumn): boolean {
  return columnType.includes('unsigned');
}

const TIMES = new Set(['date', 'datetime', 'timestamp']);
const COUNTERS = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);

/** Whether values of the type usually grow with each change. */
export function isCursorType({ dataType }: CatalogColumn): boolean {
  return TIMES.has(dataType) || COUNTERS.has(dataType);
}

/** Whether many rows are likely to share a value. */
export function isCoarse({ dataType, fraction }: CatalogColumn): boolean {
  return TIMES.has(dataType) && (dataType === 'date' || fraction < 3);
}
