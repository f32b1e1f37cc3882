import { bound, type Fragment, sql } from '../shared/sql/fragment';
import type { SqlSession, TextRow } from '../shared/sql/session';
import { isMariadb } from './session';
import type { CatalogColumn, MysqlColumn } from './types';

/** What the catalog says of one table or view. */
export interface CatalogTable {
  readonly name: string;
  readonly isView: boolean;
  readonly engine: string;
  readonly rows: number;
  readonly bytes: number;
  readonly columns: readonly CatalogColumn[];
  readonly indexes: readonly CatalogIndex[];
}

/** One index by its columns; what is no whole column is null. */
export interface CatalogIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly ordered: boolean;
  readonly columns: readonly (string | null)[];
}

/** Reads what a user may see of a database: all tables, or those of one name. */
export async function readCatalog(
  session: SqlSession<MysqlColumn>,
  database: string,
  table?: string,
): Promise<readonly CatalogTable[]> {
  const chosen = (alias: string): Fragment => {
    const only = table === undefined ? sql`` : sql` and ${alias}.table_name = ${bound(table)}`;
    return sql`${alias}.table_schema = ${bound(database)}${only}`;
  };
  const tables = await session.query(sql`
    select t.table_name, t.table_type, t.engine, t.table_rows, t.data_length from information_schema.tables t
    where ${chosen('t')} and t.table_type in ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')`);
  const columns = await grouped(session, columnsSql(chosen('c')));
  const json = isMariadb(session) ? await grouped(session, jsonSql(database, table)) : new Map<string, TextRow[]>();
  const indexes = await grouped(session, indexesSql(chosen('s')));
  return tables.map((row) => {
    const name = row[0] ?? '';
    const ofJson = new Set((json.get(name) ?? []).map(([, constraint]) => constraint));
    return tableOf(row, columns.get(name) ?? [], ofJson, indexes.get(name) ?? []);
  });
}

function columnsSql(chosen: Fragment): Fragment {
  return sql`select c.table_name, c.column_name, c.is_nullable, c.data_type, c.column_type, c.datetime_precision, c.privileges,
      c.character_set_name, c.collation_name
    from information_schema.columns c where ${chosen} order by c.table_name, c.ordinal_position`;
}

function indexesSql(chosen: Fragment): Fragment {
  return sql`select s.table_name, s.index_name, s.non_unique, s.sub_part, s.index_type, s.column_name
    from information_schema.statistics s where ${chosen} order by s.table_name, s.index_name, s.seq_in_index`;
}

/** MariaDB's JSON is a text column with a check of its own name; MySQL has a type for it. */
function jsonSql(database: string, table: string | undefined): Fragment {
  const only = table === undefined ? sql`` : sql` and k.table_name = ${bound(table)}`;
  return sql`select k.table_name, k.constraint_name from information_schema.check_constraints k
    where k.constraint_schema = ${bound(database)}${only} and k.level = 'Column'
      and k.check_clause = concat('json_valid(\`', replace(k.constraint_name, '\`', '\`\`'), '\`)')`;
}

async function grouped(session: SqlSession<MysqlColumn>, query: Fragment): Promise<ReadonlyMap<string, TextRow[]>> {
  const groups = new Map<string, TextRow[]>();
  for (const row of await session.query(query)) {
    const name = row[0] ?? '';
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  return groups;
}

function tableOf(
  [name, type, engine, rows, bytes]: TextRow,
  columns: readonly TextRow[],
  json: ReadonlySet<string | null | undefined>,
  indexes: readonly TextRow[],
): CatalogTable {
  return {
    name: name ?? '',
    isView: type === 'VIEW',
    engine: engine ?? '',
    rows: Number(rows ?? 0),
    bytes: Number(bytes ?? 0),
    columns: columns.map((row) => columnOf(row, json)),
    indexes: indexesOf(indexes),
  };
}

function columnOf(
  [, name, nullable, dataType, columnType, fraction, rights, characterSet, collation]: TextRow,
  json: ReadonlySet<unknown>,
): CatalogColumn {
  return {
    name: name ?? '',
    nullable: nullable === 'YES',
    dataType: (dataType ?? '').toLowerCase(),
    columnType: columnType ?? '',
    fraction: Number(fraction ?? 0),
    isJson: json.has(name),
    readable: /\bselect\b/i.test(rights ?? ''),
    ...(isName(characterSet) && isName(collation) && { text: { characterSet, collation } }),
  };
}

function isName(text: string | null | undefined): text is string {
  return /^\w+$/.test(text ?? '');
}

function indexesOf(rows: readonly TextRow[]): CatalogIndex[] {
  const names = [...new Set(rows.map(([, name]) => name ?? ''))];
  return names.map((name) => {
    const parts = rows.filter((row) => row[1] === name);
    const [, , nonUnique, , kind] = parts[0] ?? [];
    return {
      name,
      unique: nonUnique === '0',
      ordered: kind === 'BTREE',
      columns: parts.map(([, , , prefix, , column]) => (prefix === null ? (column ?? null) : null)),
    };
  });
}
