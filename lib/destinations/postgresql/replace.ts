import type { PublishResult } from '../../core/destination';
import { Fault } from '../../core/fault';
import { errorCode, errorMessage } from './classify';
import { storedKey } from './evolve';
import { markPublished } from './loads';
import { DELETED_AT, quoted, SYNCED_AT } from './names';
import { rememberSchema } from './ownership';
import { evolveTable } from './prepare';
import type { Publication } from './publish';
import { withTableLock } from './retry-lock';
import { ensureSearch } from './search-index';
import type { Session } from './session';
import { keyColumns } from './shape';
import { qualified, type StoredColumns, storedColumns } from './table';

/**
 * The slower way to publish: the loaded rows are moved into the visible table in one transaction, and all that hangs on
 * the table stays as it is.
 */
export async function replaceRows(
  session: Session,
  publication: Publication,
  loaded: PublishResult,
  reason: string,
): Promise<PublishResult> {
  const { writing, shape, signal } = publication;
  const doing = `publishing ${shape.schema.stream}`;
  const notes = [
    ...loaded.notes,
    `the records were moved one by one instead of swapping tables, because of: ${reason}`,
  ];
  try {
    return await withTableLock(
      session,
      doing,
      async () => {
        const changes = await moveRows(session, publication);
        const result = { rows: loaded.rows, notes: [...notes, ...changes] };
        await rememberSchema(session, writing.books, shape);
        await markPublished(session, publication, result);
        return result;
      },
      signal,
    );
  } catch (error) {
    if (!/^(22|23|42)/.test(errorCode(error) ?? '')) throw error;
    const why = errorMessage(error);
    throw new Fault(
      'config',
      'table_in_use',
      `${doing}: the records of table ${publication.table} cannot be replaced: ${why}`,
      {
        cause: error,
        hint: `Other objects depend on the table (${reason}). Drop what the message names and run the full load again. The old records are still in place.`,
      },
    );
  }
}

async function moveRows(session: Session, publication: Publication): Promise<readonly string[]> {
  const { writing, shape, table, shadow } = publication;
  const { namespace, softDeletes } = writing.target;
  const name = qualified(namespace, table);
  const source = qualified(namespace, shadow);
  await session.query(`LOCK TABLE ${name} IN SHARE ROW EXCLUSIVE MODE`);
  const key = keyColumns(shape);
  const oldKey = (await storedKey(session, name))?.columns ?? [];
  const sameKey = key.length > 0 && oldKey.length === key.length && key.every((column) => oldKey.includes(column));
  if (!sameKey) await session.query(`DELETE FROM ${name}`);
  const { changes } = await evolveTable(session, writing, shape, table, true);
  const stored = (await storedColumns(session, name)) ?? new Map();
  const match = key
    .map((column) => `t.${quoted(column)} = s.${quoted(column)}::${stored.get(column)?.type}`)
    .join(' AND ');
  if (sameKey) {
    const gone = `NOT EXISTS (SELECT FROM ${source} s WHERE ${match})`;
    await session.query(
      softDeletes
        ? `UPDATE ${name} t SET ${DELETED_AT} = now() WHERE t.${DELETED_AT} IS NULL AND ${gone}`
        : `DELETE FROM ${name} t WHERE ${gone}`,
    );
  }
  await session.query(insertStatement(publication, stored, sameKey ? key : []));
  await session.query(`DROP TABLE ${source}`);
  const indexed = await ensureSearch(session, writing, shape, table);
  return [...changes, ...indexed.changes];
}

function insertStatement(
  { writing, shape, table, shadow }: Publication,
  stored: StoredColumns,
  key: readonly string[],
) {
  const { namespace, softDeletes } = writing.target;
  const columns = shape.columns.map(({ name }) => quoted(name));
  const values = shape.columns.map(({ name }) => `s.${quoted(name)}::${stored.get(name)?.type}`);
  const insert = `INSERT INTO ${qualified(namespace, table)} (${columns.join(', ')})
    SELECT ${values.join(', ')} FROM ${qualified(namespace, shadow)} s`;
  if (key.length === 0) return insert;
  const others = shape.columns.map(({ name }) => name).filter((column) => !key.includes(column));
  const sets = others.map((column) => `${quoted(column)} = excluded.${quoted(column)}`);
  sets.push(`${SYNCED_AT} = now()`);
  if (softDeletes) sets.push(`${DELETED_AT} = NULL`);
  return `${insert} ON CONFLICT (${key.map(quoted).join(', ')}) DO UPDATE SET ${sets.join(', ')}`;
}
