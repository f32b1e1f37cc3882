import { bound, type Fragment, joined, sql } from '../shared/sql/fragment';
import type { SqlSession, TextRow } from '../shared/sql/session';
import type { OracleColumn } from './types';

/** A column as the catalog tells it. */
export interface CatalogColumn {
  readonly name: string;
  /** `TIMESTAMP WITH TIME ZONE` of `TIMESTAMP(6) WITH TIME ZONE`. */
  readonly type: string;
  readonly native: string;
  readonly nullable: boolean;
  readonly precision?: number;
  /** Of a number its digits after the point, of a time those of the second. */
  readonly scale?: number;
}

/** One index over columns as they are. */
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
  readonly kind: 'table' | 'external' | 'view';
  /** Its rows lie in the order of the key, without rowids that could be read in ranges. */
  readonly isIndexOrganised: boolean;
  /** Each row has a change number of its own. */
  readonly hasRowDependencies: boolean;
  /** Whether the user may read it as of an earlier moment. */
  readonly mayFlashBack: boolean;
  /** As of the last statistics, if there are any. */
  readonly estimate?: { readonly rows: number; readonly bytes: number };
  readonly columns: readonly CatalogColumn[];
  readonly indexes: readonly CatalogIndex[];
}

/** One table by its name. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** What is asked for: one table, or all of one schema, or all but those of Oracle. */
export type Chosen = TableName | { readonly schema: string } | 'all';

type Session = SqlSession<OracleColumn>;

/** Reads what a user may see: tables and views. */
export async function readCatalog(session: Session, chosen: Chosen): Promise<readonly CatalogTable[]> {
  const tables = await session.query(tablesSql(chosen));
  const columns = await grouped(session, columnsSql(chosen));
  const indexes = await grouped(session, indexesSql(chosen));
  return tables.map((row) => {
    const id = keyOf(row);
    return tableOf(row, (columns.get(id) ?? []).map(columnOf), indexesOf(indexes.get(id) ?? []));
  });
}

function where(alias: string, owner: string, name: string, chosen: Chosen): Fragment {
  const column = `${alias}.${owner}`;
  if (chosen === 'all') return sql`${column} in (select u.username from all_users u where u.oracle_maintained = 'N')`;
  const ofSchema = sql`${column} = ${bound(chosen.schema)}`;
  return 'name' in chosen ? sql`${ofSchema} and ${alias}.${name} = ${bound(chosen.name)}` : ofSchema;
}

function tablesSql(chosen: Chosen): Fragment {
  const tables = sql`select t.owner, t.table_name as name,
      case when exists (select 1 from all_external_tables e where e.owner = t.owner and e.table_name = t.table_name)
        then 'external' else 'table' end as kind,
      t.iot_type, t.dependencies, t.num_rows, t.avg_row_len
    from all_tables t where t.temporary = 'N' and t.nested = 'NO' and t.secondary = 'N' and t.dropped = 'NO'
      and (t.iot_type is null or t.iot_type = 'IOT') and ${where('t', 'owner', 'table_name', chosen)}`;
  const views = sql`select v.owner, v.view_name, 'view', null, null, null, null
    from all_views v where ${where('v', 'owner', 'view_name', chosen)}`;
  return sql`select r.owner, r.name, r.kind, r.iot_type, r.dependencies, r.num_rows, r.avg_row_len,
      case when r.owner = sys_context('userenv', 'session_user')
        or exists (select 1 from session_privs p where p.privilege = 'FLASHBACK ANY TABLE')
        or exists (select 1 from all_tab_privs g where g.table_schema = r.owner and g.table_name = r.name
          and g.privilege = 'FLASHBACK') then 1 else 0 end
    from (${joined([tables, views], ' union all ')}) r`;
}

function columnsSql(chosen: Chosen): Fragment {
  return sql`select c.owner, c.table_name, c.column_name, c.data_type, c.nullable, c.data_precision, c.data_scale,
      c.data_length, c.char_length, c.char_used
    from all_tab_cols c where c.hidden_column = 'NO' and ${where('c', 'owner', 'table_name', chosen)}
    order by c.owner, c.table_name, c.column_id`;
}

function indexesSql(chosen: Chosen): Fragment {
  return sql`select i.table_owner, i.table_name, i.index_name, i.uniqueness,
      (select min(c.constraint_type) from all_constraints c where c.owner = i.table_owner and c.table_name = i.table_name
        and c.constraint_type = 'P' and c.index_name = i.index_name and nvl(c.index_owner, i.owner) = i.owner),
      k.column_name
    from all_indexes i join all_ind_columns k on k.index_owner = i.owner and k.index_name = i.index_name
    where i.index_type in ('NORMAL', 'IOT - TOP') and ${where('i', 'table_owner', 'table_name', chosen)}
    order by i.table_owner, i.table_name, i.owner, i.index_name, k.column_position`;
}

async function grouped(session: Session, query: Fragment): Promise<ReadonlyMap<string, TextRow[]>> {
  const groups = new Map<string, TextRow[]>();
  for (const row of await session.query(query)) {
    const id = keyOf(row);
    const group = groups.get(id);
    if (group) group.push(row);
    else groups.set(id, [row]);
  }
  return groups;
}

function keyOf([schema, name]: TextRow): string {
  return JSON.stringify([schema, name]);
}

function tableOf(
  [schema, name, kind, iot, dependencies, rows, length, mayFlashBack]: TextRow,
  columns: readonly CatalogColumn[],
  indexes: readonly CatalogIndex[],
): CatalogTable {
  return {
    schema: schema ?? '',
    name: name ?? '',
    kind: kind === 'view' || kind === 'external' ? kind : 'table',
    isIndexOrganised: iot === 'IOT',
    hasRowDependencies: dependencies?.trim() === 'ENABLED',
    mayFlashBack: mayFlashBack === '1',
    ...(rows != null && { estimate: { rows: Number(rows), bytes: Number(rows) * Number(length ?? 0) } }),
    columns,
    indexes,
  };
}

function columnOf([, , name, type, nullable, precision, scale, length, characters, unit]: TextRow): CatalogColumn {
  const base = (type ?? '').replace(/\(\d+\)/g, '');
  const numbers = {
    ...(precision != null && { precision: Number(precision) }),
    ...(scale != null && { scale: Number(scale) }),
  };
  return {
    name: name ?? '',
    type: base,
    native: nativeOf(type ?? '', numbers, unit === 'C' ? `${characters} CHAR` : `${length} BYTE`),
    nullable: nullable !== 'N',
    ...numbers,
  };
}

function nativeOf(
  type: string,
  { precision, scale }: Pick<CatalogColumn, 'precision' | 'scale'>,
  length: string,
): string {
  if (type === 'NUMBER')
    return precision === undefined && scale === undefined ? type : `NUMBER(${precision ?? '*'},${scale ?? 0})`;
  if (type === 'FLOAT') return `FLOAT(${precision})`;
  if (type === 'CHAR' || type === 'VARCHAR2') return `${type}(${length})`;
  if (type === 'NCHAR' || type === 'NVARCHAR2' || type === 'RAW') return `${type}(${length.replace(/ .*/, '')})`;
  return type;
}

function indexesOf(rows: readonly TextRow[]): CatalogIndex[] {
  const names = [...new Set(rows.map(([, , name]) => name ?? ''))];
  return names.map((name) => {
    const own = rows.filter((row) => row[2] === name);
    const [, , , uniqueness, constraint] = own[0] ?? [];
    const primary = constraint === 'P';
    return { name, unique: primary || uniqueness === 'UNIQUE', primary, columns: own.map((row) => row[5] ?? '') };
  });
}
