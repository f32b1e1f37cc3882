import { Fault } from '../../core/fault';
import { quoteLiteral, quoteTable } from './identifiers';
import type { Session, TextRow } from './session';

/** What the catalog says of one relation, before anything is decided. */
export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  /** `pg_class.relkind`: r table, p partitioned, v view, m materialized view, f foreign table. */
  readonly kind: string;
  /** Null where there is no storage. Changes when the table is rewritten or truncated. */
  readonly filenode: string | null;
  readonly rows: number;
  readonly pages: number;
  readonly usable: boolean;
  readonly selectable: boolean;
  readonly populated: boolean;
  readonly rowSecurity: boolean;
  readonly hasChildren: boolean;
  readonly columns: readonly RawColumn[];
  readonly indexes: readonly RawIndex[];
}

/** One column in the order of the table. */
export interface RawColumn {
  readonly name: string;
  readonly notNull: boolean;
  readonly typeName: string;
  readonly typeOid: number;
  readonly formatted: string;
  readonly readable: boolean;
}

/** One index by its columns; expressions are null. */
export interface RawIndex {
  readonly name: string;
  readonly columns: readonly (string | null)[];
  readonly unique: boolean;
  readonly primary: boolean;
  readonly replica: boolean;
  readonly partial: boolean;
  readonly immediate: boolean;
  readonly ordered: boolean;
}

/** SQL that describes one relation in the transaction it is run in; an unknown one is error 42P01. */
export function describeSql(schema: string, table: string): string {
  const oid = `${quoteLiteral(quoteTable(schema, table))}::regclass`;
  return relationsSql((column) => `${column} = ${oid}`);
}

/** SQL that describes everything that is no part of the system, of another table or (unless wanted) of an extension. */
export function discoverSql(options: { readonly extensions: boolean }): string {
  const member = `and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')`;
  const all = `select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r','p','v','m','f') and not c.relispartition and c.relpersistence <> 't'
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' ${options.extensions ? '' : member}`;
  return relationsSql((column) => `${column} in (${all})`);
}

/** Domains with the type that they come down to: `resolved (oid, base, typmod)`, for a `with recursive`. */
export const RESOLVED_DOMAINS = `domain (oid, base, typmod) as (
  select oid, typbasetype, typtypmod from pg_type where typtype = 'd'
  union all
  select d.oid, t.typbasetype, t.typtypmod from domain d join pg_type t on t.oid = d.base and t.typtype = 'd'
), resolved as (
  select d.oid, d.base, d.typmod from domain d join pg_type t on t.oid = d.base and t.typtype <> 'd'
)`;

function relationsSql(chosen: (oidColumn: string) => string): string {
  return `
with recursive ${RESOLVED_DOMAINS}, cols as (
  select a.attrelid, json_agg(json_build_array(a.attname, a.attnotnull, b.typname, b.oid::int8,
      format_type(b.oid, coalesce(r.typmod, a.atttypmod)),
      has_table_privilege(a.attrelid, 'SELECT') or has_column_privilege(a.attrelid, a.attnum, 'SELECT')) order by a.attnum) as list
  from pg_attribute a left join resolved r on r.oid = a.atttypid join pg_type b on b.oid = coalesce(r.base, a.atttypid)
  where a.attnum > 0 and not a.attisdropped and ${chosen('a.attrelid')}
  group by a.attrelid
), idx as (
  select i.indrelid, json_agg(json_build_array(x.relname,
      (select json_agg(a.attname order by k.n) from unnest(i.indkey::int2[]) with ordinality k (attnum, n)
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum and k.attnum > 0 where k.n <= i.indnkeyatts),
      i.indisunique, i.indisprimary, i.indisreplident, i.indpred is not null, i.indimmediate, m.amname = 'btree')) as list
  from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
  where i.indisvalid and i.indislive and ${chosen('i.indrelid')}
  group by i.indrelid
)
select c.oid, n.nspname, c.relname, c.relkind, pg_relation_filenode(c.oid) as filenode,
  coalesce(leaves.tuples, c.reltuples)::int8 as tuples, coalesce(leaves.pages, c.relpages)::int8 as pages,
  has_schema_privilege(n.oid, 'USAGE') as usable, has_table_privilege(c.oid, 'SELECT') as selectable,
  c.relispopulated as populated, c.relrowsecurity and row_security_active(c.oid) as secured,
  c.relhassubclass and c.relkind = 'r' as children, coalesce(cols.list, '[]') as columns, coalesce(idx.list, '[]') as indexes
from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join cols on cols.attrelid = c.oid left join idx on idx.indrelid = c.oid
  left join lateral (select sum(nullif(l.reltuples, -1)) as tuples, sum(l.relpages) as pages
    from pg_partition_tree(c.oid) p join pg_class l on l.oid = p.relid where c.relkind = 'p' and p.isleaf) leaves on c.relkind = 'p'
where ${chosen('c.oid')}`;
}

type ColumnTuple = [string, boolean, string, number, string, boolean];
type IndexTuple = [string, (string | null)[], boolean, boolean, boolean, boolean, boolean, boolean];

/** One row of {@link describeSql} or {@link discoverSql}. */
export function catalogRelation(row: TextRow): CatalogRelation {
  return {
    oid: Number(row.oid),
    schema: row.nspname ?? '',
    table: row.relname ?? '',
    kind: row.relkind ?? '',
    filenode: row.filenode ?? null,
    rows: Number(row.tuples),
    pages: Number(row.pages),
    usable: row.usable === 't',
    selectable: row.selectable === 't',
    populated: row.populated === 't',
    rowSecurity: row.secured === 't',
    hasChildren: row.children === 't',
    columns: (JSON.parse(row.columns ?? '[]') as ColumnTuple[]).map(rawColumn),
    indexes: (JSON.parse(row.indexes ?? '[]') as IndexTuple[]).map(rawIndex),
  };
}

function rawColumn([name, notNull, typeName, typeOid, formatted, readable]: ColumnTuple): RawColumn {
  return { name, notNull, typeName, typeOid, formatted, readable };
}

function rawIndex([name, columns, unique, primary, replica, partial, immediate, ordered]: IndexTuple): RawIndex {
  return { name, columns, unique, primary, replica, partial, immediate, ordered };
}

/** Describes one relation in the session's transaction. */
export async function describeRelation(session: Session, schema: string, table: string): Promise<CatalogRelation> {
  const [row] = await session.query(describeSql(schema, table));
  if (row === undefined) throw tableMissing(`${schema}.${table}`);
  return catalogRelation(row);
}

/** The fault for a stream whose table is not there. */
export function tableMissing(name: string): Fault {
  return new Fault('config', 'table_missing', `there is no table or view ${name}`, {
    hint: 'It was dropped or renamed: leave it out of "tables", or discover the streams again.',
  });
}
