import { Fault } from '../../core/fault';
import { errorCode } from './classify';
import { quoted } from './names';
import type { Session } from './session';
import type { Shape } from './shape';
import { widened } from './widen';

/** A column as it lies in the database. */
export interface StoredColumn {
  /** As `format_type` writes it. */
  readonly type: string;
  readonly notNull: boolean;
}

/** The columns of a table by name, in their order. */
export type StoredColumns = ReadonlyMap<string, StoredColumn>;

/** A table's name as it stands in statements. */
export function qualified(namespace: string, table: string): string {
  return `${quoted(namespace)}.${quoted(table)}`;
}

/** The query that gives {@link StoredColumns}; `table` is a quoted literal of a qualified name. */
function columnsQuery(tableLiteral: string): string {
  return `SELECT attname AS name, pg_catalog.format_type(atttypid, atttypmod) AS type, attnotnull AS required
    FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(${tableLiteral}) AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum`;
}

/** The columns of a table; `undefined` when there is no such table. */
export async function storedColumns(session: Session, table: string): Promise<StoredColumns | undefined> {
  const [[found], rows] = (await session.script(
    `SELECT to_regclass(${literal(table)}) AS found; ${columnsQuery(literal(table))}`,
  )) as [readonly { found: string | null }[], readonly { [name: string]: string | null }[]];
  return found?.found ? byName(rows) : undefined;
}

/**
 * Begins a transaction that will write to a table: nobody can change its columns from here on. With `known` columns the
 * server is not asked for them. The caller must end the transaction also when this throws.
 */
export async function beginWrite(
  session: Session,
  namespace: string,
  table: string,
  known?: StoredColumns,
): Promise<StoredColumns> {
  const name = qualified(namespace, table);
  const begin = `BEGIN; LOCK TABLE ${name} IN ROW EXCLUSIVE MODE`;
  try {
    const results = await session.script(known ? begin : `${begin}; ${columnsQuery(literal(name))}`);
    return known ?? byName(results[2] ?? []);
  } catch (error) {
    await session.query('ROLLBACK');
    throw goneOr(error, namespace, table);
  }
}

/** Takes a table for this transaction: others read it, and write to it afterwards. Gives its columns. */
export async function holdTable(session: Session, namespace: string, table: string): Promise<StoredColumns> {
  const name = qualified(namespace, table);
  try {
    const [, rows = []] = await session.script(
      `LOCK TABLE ${name} IN SHARE ROW EXCLUSIVE MODE; ${columnsQuery(literal(name))}`,
    );
    return byName(rows);
  } catch (error) {
    throw goneOr(error, namespace, table);
  }
}

function goneOr(error: unknown, namespace: string, table: string): unknown {
  if (errorCode(error) !== '42P01') return error;
  return new Fault('lost', 'table_gone', `writing to ${namespace}.${table}: the table is gone`, {
    cause: error,
    hint: 'Run a full load of the stream.',
  });
}

/** Makes sure that the table can hold the shape, as `prepare` left it. */
export function checkFits(shape: Shape, stored: StoredColumns): void {
  const unfit = shape.columns.find(({ name, type }) => {
    const column = stored.get(name);
    return column === undefined || widened(column.type, type) !== column.type;
  });
  if (unfit === undefined) return;
  throw new Fault(
    'transient',
    'table_changed',
    `writing ${shape.schema.stream}: column ${unfit.name} of table ${shape.table} cannot hold ${unfit.type}`,
    { hint: 'Somebody changed the table; it is prepared again at the next try.' },
  );
}

/** A text as it stands in SQL. */
export function literal(text: string): string {
  const body = text.replaceAll("'", "''");
  return body.includes('\\') ? ` E'${body.replaceAll('\\', '\\\\')}'` : `'${body}'`;
}

function byName(rows: readonly { readonly [name: string]: string | null }[]): StoredColumns {
  return new Map(rows.map((row) => [row.name ?? '', { type: row.type ?? 'text', notNull: row.required === 't' }]));
}
