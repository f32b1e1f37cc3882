import { Fault } from '../../core/fault';
import { errorCode } from './classify';
import { addKey, metadataDefinitions } from './create';
import { quoted } from './names';
import type { Session } from './session';
import { keyColumns, metadataColumns, type Shape, type Target } from './shape';
import { qualified, type StoredColumns } from './table';
import { widened } from './widen';

/** What has to change before a table can hold a shape. */
export interface Evolution {
  readonly added: readonly { readonly definition: string; readonly words: string }[];
  readonly widened: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  /** Required columns that are no longer part of the key. */
  readonly freed: readonly string[];
  /** The key is another one than that of the table. */
  readonly key: { readonly constraint: string | undefined } | undefined;
}

/** The primary key that a table has. */
export interface StoredKey {
  readonly constraint: string;
  readonly columns: readonly string[];
}

/** The primary key of a table, `undefined` when it has none. */
export async function storedKey(session: Session, table: string): Promise<StoredKey | undefined> {
  const rows = await session.query(
    `SELECT c.conname AS constraint, a.attname AS name FROM pg_catalog.pg_constraint c
     CROSS JOIN unnest(c.conkey) WITH ORDINALITY k(number, place)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
     WHERE c.conrelid = to_regclass($1) AND c.contype = 'p' ORDER BY k.place`,
    [table],
  );
  const constraint = rows[0]?.constraint;
  return constraint == null ? undefined : { constraint, columns: rows.flatMap(({ name }) => name ?? []) };
}

/** Compares; nothing is ever narrowed or removed. `keyed` is false for a table that gets its key later. */
export function planEvolution(
  target: Target,
  shape: Shape,
  stored: StoredColumns,
  key: StoredKey | undefined,
  keyed: boolean,
): Evolution {
  const added = shape.columns
    .filter(({ name }) => !stored.has(name))
    .map(({ name, type }) => ({ definition: `${quoted(name)} ${type}`, words: `added column ${name} (${type})` }));
  const metadata = metadataColumns(target).flatMap((name, place) => {
    const definition = metadataDefinitions(target)[place];
    return stored.has(name) || definition === undefined ? [] : [{ definition, words: `added column ${name}` }];
  });
  const wider = shape.columns.flatMap(({ name, type }) => {
    const from = stored.get(name)?.type;
    const to = from && widened(from, type);
    return from === undefined || to === undefined || to === from ? [] : [{ name, from, to }];
  });
  const wanted = keyColumns(shape);
  const freed = shape.columns.filter(({ name }) => stored.get(name)?.notNull === true && !wanted.includes(name));
  const old = [...stored].filter(([name, column]) => column.notNull && key?.columns.includes(name));
  const gone = old.map(([name]) => name).filter((name) => !wanted.includes(name));
  const another = keyed && !sameMembers(wanted, key?.columns ?? []);
  return {
    added: [...added, ...metadata],
    widened: wider,
    freed: [...new Set([...freed.map(({ name }) => name), ...gone])],
    key: another ? { constraint: key?.constraint } : undefined,
  };
}

/** Whether there is nothing to do. */
export function isEmpty({ added, widened: wider, freed, key }: Evolution): boolean {
  return added.length + wider.length + freed.length === 0 && key === undefined;
}

/** Carries out a plan inside the caller's transaction; gives what was done, in words. */
export async function applyEvolution(
  session: Session,
  target: Target,
  shape: Shape,
  table: string,
  plan: Evolution,
): Promise<readonly string[]> {
  const name = qualified(target.namespace, table);
  const clauses: string[] = [];
  if (plan.key?.constraint !== undefined) clauses.push(`DROP CONSTRAINT ${quoted(plan.key.constraint)}`);
  clauses.push(...plan.freed.map((column) => `ALTER COLUMN ${quoted(column)} DROP NOT NULL`));
  clauses.push(...plan.added.map(({ definition }) => `ADD COLUMN ${definition}`));
  clauses.push(
    ...plan.widened.map(
      ({ name: column, to }) => `ALTER COLUMN ${quoted(column)} TYPE ${to} USING ${quoted(column)}::${to}`,
    ),
  );
  // Dropping a key first lets the columns go in the same statement.
  if (clauses.length > 0) await session.query(`ALTER TABLE ${name} ${clauses.join(', ')}`);
  if (plan.key && shape.key.length > 0) await changeKey(session, target, shape, table);
  return [
    ...plan.added.map(({ words }) => words),
    ...plan.widened.map(({ name: column, from, to }) => `widened column ${column} from ${from} to ${to}`),
    ...plan.freed.map((column) => `column ${column} may be empty now`),
    ...(plan.key ? [keyWords(shape)] : []),
  ];
}

function keyWords(shape: Shape): string {
  const key = keyColumns(shape);
  return key.length === 0 ? 'removed the key' : `changed the key to (${key.join(', ')})`;
}

async function changeKey(session: Session, target: Target, shape: Shape, table: string): Promise<void> {
  try {
    await addKey(session, target, shape, table);
  } catch (error) {
    if (!['23505', '23502', '42P16'].includes(errorCode(error) ?? '')) throw error;
    throw new Fault(
      'config',
      'key_changed',
      `preparing table ${target.namespace}.${table}: its rows do not fit the new key (${keyColumns(shape).join(', ')})`,
      { cause: error, hint: `Run a full load of ${shape.schema.stream}: it builds the table anew with this key.` },
    );
  }
}

function sameMembers(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item) => right.includes(item));
}
