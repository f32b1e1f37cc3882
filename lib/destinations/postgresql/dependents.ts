import { Fault } from '../../core/fault';
import { carriedFrom, startAsOwner } from './carry';
import { errorCode, errorMessage } from './classify';
import { SYNCED_AT } from './names';
import type { Session } from './session';
import { arrayLiteral } from './types';

/** What else in the database hangs on a table. */
export interface Dependents {
  /** Plain views, each after those it reads. */
  readonly views: readonly View[];
  /** All else, in words; it would be lost with the table, or keeps it from being dropped. */
  readonly blockers: readonly string[];
}

/** A view that can be dropped and created again without a difference. */
export interface View {
  /** As it stands in statements. */
  readonly name: string;
  readonly create: string;
  readonly owner: string;
  readonly after: readonly string[];
}

/** Finds them; names in definitions are written in full. */
export async function dependentsOf(session: Session, table: string): Promise<Dependents> {
  const [path] = await session.query(
    `SELECT current_setting('search_path') AS old, set_config('search_path', 'pg_catalog', true) AS new`,
  );
  const rows = await session.query(VIEWS, [table]);
  const oids = rows.flatMap(({ oid }) => oid ?? []);
  const views: View[] = [];
  for (const row of rows) {
    const name = row.name ?? '';
    const carried = await carriedFrom(session, row.oid ?? '', 'VIEW', name);
    const options = row.options ? ` WITH (${row.options})` : '';
    const create = `CREATE VIEW ${name} (${row.columns})${options} AS ${row.definition}`;
    views.push({ name, create, owner: carried.owner, after: carried.statements });
  }
  const blockers = await session.query(BLOCKERS, [table, arrayLiteral(oids)]);
  await session.query(`SELECT set_config('search_path', $1, true)`, [path?.old ?? 'public']);
  return { views, blockers: blockers.flatMap(({ blocker }) => blocker ?? []) };
}

/** Drops views, the last first. */
export async function dropViews(session: Session, views: readonly View[]): Promise<void> {
  const names = views.map(({ name }) => name).reverse();
  if (names.length > 0) await session.query(`DROP VIEW ${names.join(', ')}`);
}

/** Creates dropped views again with all that belonged to them. */
export async function createViews(session: Session, views: readonly View[]): Promise<void> {
  for (const view of views) {
    await session.query(view.create);
    await startAsOwner(session, 'VIEW', view.name, view.owner);
    for (const statement of view.after) await session.query(statement);
  }
}

/** Lets `work` change types of columns that plain views read, inside the caller's transaction. */
export async function withViewsAside<T>(
  session: Session,
  table: string,
  columns: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const { views } = await dependentsOf(session, table);
  await session.query('SAVEPOINT aside');
  try {
    await dropViews(session, views);
    const result = await work();
    await createViews(session, views);
    await session.query('RELEASE SAVEPOINT aside');
    return result;
  } catch (error) {
    // What hinders is an object that uses the column; a lock that is not had, or a lost connection, is another matter.
    if (!['0A000', '2BP01', '42501', '42883', '42804'].includes(errorCode(error) ?? '')) throw error;
    await session.query('ROLLBACK TO SAVEPOINT aside');
    throw blocked(table, columns, error, await dependentsOf(session, table));
  }
}

function blocked(table: string, columns: readonly string[], cause: unknown, { views, blockers }: Dependents): Fault {
  const names = [...blockers, ...views.map(({ name }) => `view ${name}`)];
  const what = names.length > 0 ? names.join(', ') : errorMessage(cause);
  return new Fault(
    'config',
    'column_in_use',
    `widening ${columns.join(', ')} of table ${table}: other objects depend on it: ${what}`,
    { cause, hint: 'Drop the named objects, run again, and create them anew. Nothing was changed.' },
  );
}

const DEPENDENT_VIEWS = `
  WITH RECURSIVE found(oid, depth) AS (
    SELECT to_regclass($1)::oid, 0
    UNION
    SELECT r.ev_class, f.depth + 1 FROM found f
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = f.oid
      AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> f.oid
    JOIN pg_class c ON c.oid = r.ev_class AND c.relkind = 'v'
  )`;

const VIEWS = `${DEPENDENT_VIEWS}, deepest AS (SELECT oid, max(depth) AS depth FROM found GROUP BY oid)
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, rtrim(pg_get_viewdef(c.oid), ';') AS definition,
    (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = c.oid AND attnum > 0) AS columns,
    array_to_string(c.reloptions, ', ') AS options
  FROM deepest d JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE d.depth > 0 ORDER BY d.depth, c.oid`;

/** Everything that refers to the table or the views, less what is made again or belongs to the table itself. */
const BLOCKERS = `
  WITH relations AS (SELECT to_regclass($1)::oid AS oid, true AS is_table UNION ALL SELECT unnest($2::oid[]), false),
  types AS (
    SELECT t.oid FROM pg_type t JOIN relations r ON t.typrelid = r.oid
    UNION SELECT t.typarray FROM pg_type t JOIN relations r ON t.typrelid = r.oid
  ), dependents AS (
    SELECT d.* FROM pg_depend d JOIN relations r ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid
    UNION SELECT d.* FROM pg_depend d JOIN types t ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid
  )
  SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) AS blocker FROM dependents d
  LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
  LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
  LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
  LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
  LEFT JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
  WHERE (
    c.relkind IN ('i', 't') OR (c.oid = to_regclass($1) OR c.oid = ANY ($2::oid[]))
    OR (k.conrelid = to_regclass($1) AND k.contype IN ('p', 'n'))
    OR (w.ev_class = ANY ($2::oid[]) AND w.rulename = '_RETURN')
    OR (f.adrelid = to_regclass($1) AND a.attname = '${SYNCED_AT}')
    OR (d.classid = 'pg_type'::regclass AND d.objid IN (SELECT oid FROM types))
  ) IS NOT TRUE
  UNION ALL
  SELECT 'row level security' FROM pg_class WHERE oid = to_regclass($1) AND relrowsecurity
  UNION ALL
  SELECT 'its parent table ' || inhparent::regclass::text FROM pg_inherits WHERE inhrelid = to_regclass($1)
  UNION ALL
  SELECT 'its replica identity' FROM pg_class WHERE oid = to_regclass($1) AND relreplident NOT IN ('d', 'f')
  UNION ALL
  SELECT pg_describe_object('pg_class'::regclass, c.oid, 0) || ' of role ' || pg_get_userbyid(c.relowner)
  FROM pg_class c JOIN relations USING (oid) WHERE NOT pg_has_role(c.relowner, 'USAGE')`;
