import type { Column, ColumnType } from '../../core/schema';
import { quoteIdentifier } from './identifiers';

/** A column as the catalog tells it, domains already resolved to their base type. */
export interface CatalogColumn {
  readonly name: string;
  readonly notNull: boolean;
  /** `pg_type.typname` and oid of the type. */
  readonly typeName: string;
  readonly typeOid: number;
  /** As `format_type` writes it, modifier included. */
  readonly formatted: string;
}

/** A column as it is read: what it is called downstream, and the SQL that gives exactly that type. */
export interface ReadColumn {
  readonly column: Column;
  /** Expression over the table's row. */
  readonly expression: string;
}

// Types made after initdb, by users and extensions, have larger oids, whatever schema they are in.
const FIRST_USER_OID = 16384;

const TYPES: { readonly [typeName: string]: ColumnType } = {
  bool: 'bool',
  int2: 'int32',
  int4: 'int32',
  int8: 'int64',
  float4: 'float64',
  float8: 'float64',
  numeric: 'decimal',
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  bytea: 'bytes',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  uuid: 'uuid',
  json: 'json',
  jsonb: 'json',
};

// Sent as text, or in their own binary form, and stored again as the same type by another PostgreSQL.
const KEPT_AS_TEXT = new Set(
  (
    'interval timetz inet cidr macaddr macaddr8 bit varbit xml tsvector tsquery jsonpath pg_lsn ' +
    'point line lseg box path polygon circle int4range int8range numrange tsrange tstzrange daterange ' +
    'int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange'
  ).split(' '),
);

// Types that another server might show or read differently, by what carries all that they mean.
const CAST: { readonly [typeName: string]: readonly [cast: string, type: ColumnType] } = {
  money: ['numeric', 'decimal'],
  oid: ['bigint', 'int64'],
};

/** How a column is read. */
export function readColumn(source: CatalogColumn): ReadColumn {
  const [cast, type] = castOf(source);
  return {
    column: { name: source.name, type, nullable: !source.notNull, native: `postgresql/${cast}` },
    expression: `t.${quoteIdentifier(source.name)}::${cast}`,
  };
}

function castOf(source: CatalogColumn): readonly [cast: string, type: ColumnType] {
  const { typeName, typeOid, formatted } = source;
  if (typeOid >= FIRST_USER_OID) return ['text', 'text'];
  const type = TYPES[typeName];
  if (type) return [formatted, type];
  if (KEPT_AS_TEXT.has(typeName)) return [formatted, 'text'];
  const changed = CAST[typeName];
  if (changed) return changed;
  return typeName.startsWith('_') ? [arrayCast(typeName.slice(1), formatted), 'text'] : ['text', 'text'];
}

function arrayCast(element: string, formatted: string): string {
  if (TYPES[element] !== undefined || KEPT_AS_TEXT.has(element)) return formatted;
  const changed = CAST[element];
  return changed ? `${changed[0]}[]` : 'text';
}

const TIMES = new Set(['timestamp', 'timestamptz', 'date']);
const COUNTERS = new Set(['int2', 'int4', 'int8', 'oid']);

/** Whether values of the type usually grow with each change. */
export function isCursorType(source: CatalogColumn): boolean {
  return source.typeOid < FIRST_USER_OID && (TIMES.has(source.typeName) || COUNTERS.has(source.typeName));
}

/** Whether many rows are likely to share a value. */
export function isCoarse(source: CatalogColumn): boolean {
  return source.typeName === 'date' || /^timestamp\([0-2]\)/.test(source.formatted);
}
