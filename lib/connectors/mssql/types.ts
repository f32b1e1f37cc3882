import type { ColumnType } from '../../core/schema';
import { bound, type Fragment, sql } from '../shared/sql/fragment';
import type { SqlColumn } from '../shared/sql/relation';
import type { CatalogColumn } from './catalog';
import { asBigint, asBoolean, asBytes, asFineTime, asNumber, asText, asTime, asUuid, type Decode } from './decode';
import { quoteIdentifier } from './identifiers';

/** How some types are read. */
export interface TypeOptions {
  readonly sevenDigits: 'text' | 'fail';
}

/** A column as it is read. */
export interface MssqlColumn extends SqlColumn {
  readonly decode: Decode;
  /** It is of the key, by which a row is named where it cannot be read. */
  readonly isKey: boolean;
  /** The type by which clocks can be asked: that of the column, or `rowversion`. */
  readonly clock?: string;
}

interface Reading {
  readonly type: ColumnType;
  readonly decode: Decode;
  /** What is selected; the column itself by default. */
  readonly expression?: string;
  /** The type that a bound text is turned into to be compared; by default that of the column. */
  readonly bind?: (text: Fragment) => Fragment;
  readonly clock?: string;
}

type Read = (source: CatalogColumn, options: TypeOptions, name: string) => Reading;

const ISO = '121';
const FINEST = 7;

const int32: Read = () => ({ type: 'int32', decode: asNumber });
const float: Read = () => ({ type: 'float64', decode: asNumber });
const bytes: Read = ({ native }) => ({
  type: 'bytes',
  decode: asBytes,
  bind: (text) => sql`convert(${native === 'image' ? 'varbinary(max)' : native}, ${text}, 2)`,
});
const decimal: Read = (_source, _options, name) => ({
  type: 'decimal',
  decode: asText,
  expression: `convert(varchar(41), ${name})`,
});
// Four digits; without a style there would be two.
const money: Read = (_source, _options, name) => ({
  type: 'decimal',
  decode: asText,
  expression: `convert(varchar(30), ${name}, 2)`,
});
const text: Read = ({ native, collation }) => ({
  type: 'text',
  decode: asText,
  // As the column's own type and by its own collation: else its index is of no use, and characters are lost.
  bind: (value) => sql`convert(${native}, ${value}${collation && ` collate ${collation}`})`,
});
const long: Read = (_source, _options, name) => ({
  type: 'text',
  decode: asText,
  expression: `convert(nvarchar(max), ${name})`,
});
const spatial: Read = (_source, _options, name) => ({
  type: 'text',
  decode: asText,
  expression: `N'SRID=' + convert(nvarchar(11), ${name}.STSrid) + N';' + ${name}.AsTextZM()`,
});

const TYPES: { readonly [type: string]: Read } = {
  bit: () => ({ type: 'bool', decode: asBoolean }),
  tinyint: int32,
  smallint: int32,
  int: int32,
  bigint: () => ({ type: 'int64', decode: asBigint }),
  decimal,
  numeric: decimal,
  money,
  smallmoney: money,
  float,
  real: float,
  char: text,
  varchar: text,
  nchar: text,
  nvarchar: text,
  text: long,
  ntext: long,
  xml: long,
  json: (...given) => ({ ...long(...given), type: 'json' }),
  binary: bytes,
  varbinary: bytes,
  image: bytes,
  timestamp: () => ({
    type: 'bytes',
    decode: asBytes,
    bind: (value) => sql`convert(binary(8), ${value}, 2)`,
    clock: 'rowversion',
  }),
  uniqueidentifier: () => ({ type: 'uuid', decode: asUuid }),
  date: (_source, _options, name) => ({
    type: 'date',
    decode: asText,
    expression: `convert(varchar(10), ${name}, 23)`,
    bind: (value) => sql`convert(date, ${value}, 23)`,
    clock: 'date',
  }),
  time: (source, options, name) => timed(source, options, { type: 'time', selected: name }),
  smalldatetime: (source, options, name) =>
    timed({ ...source, scale: 0 }, options, { type: 'timestamp', selected: name, clock: 'datetime2' }),
  datetime: (source, options, name) =>
    timed({ ...source, scale: 3 }, options, { type: 'timestamp', selected: name, clock: 'datetime2' }),
  datetime2: (source, options, name) =>
    timed(source, options, { type: 'timestamp', selected: name, clock: 'datetime2' }),
  datetimeoffset: (source, options, name) =>
    timed(source, options, {
      type: 'timestamptz',
      selected: `convert(datetime2(${source.scale}), switchoffset(${name}, '+00:00'))`,
      zone: '+00',
      clock: 'datetimeoffset',
    }),
  hierarchyid: (_source, _options, name) => ({
    type: 'text',
    decode: asText,
    expression: `${name}.ToString()`,
    bind: (value) => sql`convert(hierarchyid, ${value})`,
  }),
  geometry: spatial,
  geography: spatial,
  sql_variant: (_source, _options, name) => ({
    type: 'text',
    decode: asText,
    expression: variant(name),
  }),
};

interface Timed {
  readonly type: ColumnType;
  readonly selected: string;
  readonly zone?: string;
  readonly clock?: string;
}

function timed({ name, native, scale }: CatalogColumn, { sevenDigits }: TypeOptions, of: Timed): Reading {
  const { type, selected, zone = '', clock } = of;
  const asItIs = scale >= FINEST && sevenDigits === 'text';
  return {
    type: asItIs ? 'text' : type,
    decode: asItIs ? asFineTime(zone) : asTime(name, zone),
    expression: `convert(varchar(27), ${selected}, ${ISO})`,
    bind: (value) => sql`convert(${native}, ${zone === '' ? value : offset(value)}, ${ISO})`,
    ...(clock !== undefined && { clock }),
  };
}

function offset({ text, values }: Fragment): Fragment {
  return { text, values: values.map((value) => `${String(value).replace(/\+00$/, '')} +00:00`) };
}

// One form for each type that may be in it; a plain conversion would round floats and cut money and times.
function variant(name: string): string {
  const base = `convert(nvarchar(128), sql_variant_property(${name}, 'BaseType'))`;
  return `case when ${base} in ('float', 'real') then convert(nvarchar(4000), convert(float(53), ${name}), 3)
    when ${base} in ('money', 'smallmoney') then convert(nvarchar(4000), convert(money, ${name}), 2)
    when ${base} in ('binary', 'varbinary') then convert(nvarchar(max), convert(varbinary(8000), ${name}), 1)
    when ${base} in ('date', 'time', 'datetime', 'smalldatetime', 'datetime2', 'datetimeoffset') then convert(nvarchar(4000), ${name}, ${ISO})
    else convert(nvarchar(4000), ${name}) end`;
}

/** How a column is read. */
export function readColumn(source: CatalogColumn, options: TypeOptions, isKey: boolean): MssqlColumn {
  const name = `t.${quoteIdentifier(source.name)}`;
  const reading = (TYPES[source.type] ?? long)(source, options, name);
  const { type, decode, expression = name, clock } = reading;
  const bind = reading.bind ?? ((value: Fragment) => sql`convert(${source.native}, ${value})`);
  return {
    column: {
      name: source.name,
      type,
      nullable: source.nullable,
      native: `mssql/${Object.hasOwn(TYPES, source.type) ? source.native : 'nvarchar(max)'}`,
    },
    expression,
    order: name,
    decode,
    isKey,
    bind: (value) => bind(bound(value)),
    ...(clock !== undefined && { clock }),
  };
}

const COUNTERS = new Set(['tinyint', 'smallint', 'int', 'bigint', 'timestamp']);
const TIMES = new Set(['date', 'smalldatetime', 'datetime', 'datetime2', 'datetimeoffset']);
const INCOMPARABLE = new Set([
  'text',
  'ntext',
  'image',
  'xml',
  'json',
  'geometry',
  'geography',
  'sql_variant',
  'vector',
]);

/** Whether values of the type usually grow with each change. */
export function isCursorType({ type }: CatalogColumn): boolean {
  return COUNTERS.has(type) || TIMES.has(type);
}

/** Whether many rows are likely to share a value. */
export function isCoarse({ type, scale }: CatalogColumn): boolean {
  return TIMES.has(type) && (type === 'date' || type === 'smalldatetime' || (type !== 'datetime' && scale < 3));
}

/** Whether rows can be read in the order of such a column. */
export function isOrdered({ type }: CatalogColumn): boolean {
  return Object.hasOwn(TYPES, type) && !INCOMPARABLE.has(type);
}
