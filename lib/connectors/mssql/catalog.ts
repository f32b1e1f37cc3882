import { bound, type Fragment, sql } from '../shared/sql/fragment';
import type { SqlSession, TextRow } from '../shared/sql/session';
import type { MssqlColumn } from './types';

/** A column as the catalog tells it. */
export interface CatalogColumn {
  readonly name: string;
  /** `nvarchar` of `nvarchar(200)`; of an alias the type behind it. */
  readonly type: string;
  readonly native: string;
  readonly nullable: boolean;
  /** Digits of the fraction. */
  readonly scale: number;
  /** Empty where the type has none. */
  readonly collation: string;
  readonly readable: boolean;
}

/** One unique index over all rows. */
export interface CatalogIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly columns: readonly string[];
}

/** What the catalog says of one table or view. */
export interface CatalogTable {
  readonly schema: string;
  readonly name: string;
  readonly isView: boolean;
  readonly rows: number;
  readonly bytes: number;
  readonly columns: readonly CatalogColumn[];
  readonly indexes: readonly CatalogIndex[];
}

/** One table by its name. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

type Session = SqlSession<MssqlColumn>;

const PAGE_BYTES = 8192;

/** Reads what a user may see of a database: all tables and views, or one. */
export async function readCatalog(session: Session, only?: TableName): Promise<readonly CatalogTable[]> {
  const chosen = only ? sql` and s.name = ${bound(only.schema)} and o.name = ${bound(only.name)}` : sql``;
  const tables = await session.query(tablesSql(chosen));
  const columns = await grouped(session, columnsSql(chosen));
  const indexes = await grouped(session, indexesSql(chosen));
  return tables.map(([id, schema, name, kind, rows, pages]) => ({
    schema: schema ?? '',
    name: name ?? '',
    isView: kind?.trim() === 'V',
    rows: Number(rows ?? 0),
    bytes: Number(pages ?? 0) * PAGE_BYTES,
    columns: (columns.get(id ?? '') ?? []).map(columnOf),
    indexes: indexesOf(indexes.get(id ?? '') ?? []),
  }));
}

function tablesSql(chosen: Fragment): Fragment {
  return sql`select o.object_id, s.name, o.name, o.type,
      (select sum(p.rows) from sys.partitions p where p.object_id = o.object_id and p.index_id in (0, 1)),
      (select sum(a.used_pages) from sys.partitions p join sys.allocation_units a on a.container_id = p.partition_id
        where p.object_id = o.object_id and p.index_id in (0, 1))
    from sys.objects o join sys.schemas s on s.schema_id = o.schema_id
    where o.type in ('U', 'V') and o.is_ms_shipped = 0${chosen}`;
}

function columnsSql(chosen: Fragment): Fragment {
  return sql`select c.object_id, c.name,
      coalesce(case when c.system_type_id = 240 then type_name(c.user_type_id) end, type_name(c.system_type_id)),
      c.max_length, c.precision, c.scale, c.is_nullable, c.collation_name,
      has_perms_by_name(quotename(s.name) + '.' + quotename(o.name), 'OBJECT', 'SELECT', quotename(c.name), 'COLUMN')
    from sys.columns c join sys.objects o on o.object_id = c.object_id join sys.schemas s on s.schema_id = o.schema_id
    where o.type in ('U', 'V') and o.is_ms_shipped = 0${chosen} order by c.object_id, c.column_id`;
}

function indexesSql(chosen: Fragment): Fragment {
  return sql`select i.object_id, i.name, i.is_unique, i.is_primary_key, c.name
    from sys.indexes i join sys.objects o on o.object_id = i.object_id join sys.schemas s on s.schema_id = o.schema_id
      join sys.index_columns k on k.object_id = i.object_id and k.index_id = i.index_id
      join sys.columns c on c.object_id = k.object_id and c.column_id = k.column_id
    where o.type = 'U' and i.type in (1, 2) and i.has_filter = 0 and i.is_disabled = 0 and k.is_included_column = 0
      and k.key_ordinal > 0${chosen} order by i.object_id, i.index_id, k.key_ordinal`;
}

async function grouped(session: Session, query: Fragment): Promise<ReadonlyMap<string, TextRow[]>> {
  const groups = new Map<string, TextRow[]>();
  for (const row of await session.query(query)) {
    const id = row[0] ?? '';
    const group = groups.get(id);
    if (group) group.push(row);
    else groups.set(id, [row]);
  }
  return groups;
}

function columnOf([, name, type, length, precision, scale, nullable, collation, readable]: TextRow): CatalogColumn {
  const base = (type ?? 'sql_variant').toLowerCase();
  return {
    name: name ?? '',
    type: base,
    native: nativeOf(base, Number(length), Number(precision), Number(scale)),
    nullable: nullable !== '0',
    scale: Number(scale ?? 0),
    collation: /^\w+$/.test(collation ?? '') ? (collation ?? '') : '',
    readable: readable === '1',
  };
}

function nativeOf(type: string, length: number, precision: number, scale: number): string {
  if (type === 'decimal' || type === 'numeric') return `${type}(${precision},${scale})`;
  if (type === 'datetime2' || type === 'datetimeoffset' || type === 'time') return `${type}(${scale})`;
  if (type === 'nchar' || type === 'nvarchar') return `${type}(${length < 0 ? 'max' : length / 2})`;
  if (/^(var)?(char|binary)$/.test(type)) return `${type}(${length < 0 ? 'max' : length})`;
  return type;
}

function indexesOf(rows: readonly TextRow[]): CatalogIndex[] {
  const names = [...new Set(rows.map(([, name]) => name ?? ''))];
  return names.map((name) => {
    const own = rows.filter((row) => row[1] === name);
    const [, , unique, primary] = own[0] ?? [];
    return { name, unique: unique === '1', primary: primary === '1', columns: own.map((row) => row[4] ?? '') };
  });
}
