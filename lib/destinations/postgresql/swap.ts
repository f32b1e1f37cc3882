import type { PublishResult } from '../../core/destination';
import { lockDefinitions } from './bookkeeping';
import { carriedFrom, startAsOwner } from './carry';
import { errorCode, errorMessage } from './classify';
import { createViews, dependentsOf, dropViews } from './dependents';
import { buildIndexes, renameIndexes, type UserIndex, userIndexes } from './indexes';
import { markPublished } from './loads';
import { DELETED_AT, keyName, quoted, SYNCED_AT } from './names';
import { rememberSchema } from './ownership';
import type { Publication } from './publish';
import { withTableLock } from './retry-lock';
import { renameSearch } from './search-index';
import { type Session, transaction } from './session';
import { keyColumns } from './shape';
import { qualified, type StoredColumns, storedColumns } from './table';

/** The swap was made, or why it cannot be made and the rows must be moved instead. */
export type Swapped = { readonly result: PublishResult } | { readonly result?: undefined; readonly reason: string };

const ATTEMPTS = 3;

/**
 * Puts the shadow in the place of the visible table in one transaction. Rights, owner, comments, options, indexes and
 * plain views go over to it; where anything else hangs on the old table it is left as it is.
 */
export async function swapTables(session: Session, publication: Publication, loaded: PublishResult): Promise<Swapped> {
  const name = qualified(publication.writing.target.namespace, publication.table);
  const doing = `publishing ${publication.shape.schema.stream}`;
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      // Looked at before the expensive part, and again under the lock.
      const { blockers } = await transaction(session, () => dependentsOf(session, name));
      if (blockers.length > 0) return { reason: blockers.join(', ') };
      const indexes = await transaction(session, () => indexesOf(session, name));
      await buildIndexes(session, publication, indexes);
      await carryDeleted(session, publication);
      const swap = () => swapLocked(session, publication, loaded, indexes);
      const swapped = await withTableLock(session, doing, swap, publication.signal);
      if (swapped !== 'indexes changed') return swapped;
    }
    return { reason: 'its indexes are being changed' };
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || !/^(0A|2B|22|23|42)/.test(code)) throw error;
    return { reason: errorMessage(error) };
  }
}

async function indexesOf(session: Session, name: string): Promise<readonly UserIndex[]> {
  await session.query(`SET LOCAL search_path = pg_catalog`);
  return userIndexes(session, name);
}

async function swapLocked(
  session: Session,
  publication: Publication,
  loaded: PublishResult,
  indexes: readonly UserIndex[],
): Promise<Swapped | 'indexes changed'> {
  const { writing, table, shadow, shape } = publication;
  const { namespace } = writing.target;
  const name = qualified(namespace, table);
  const shadowTable = qualified(namespace, shadow);
  await session.query(`SET LOCAL search_path = pg_catalog`);
  await lockDefinitions(session, writing.books);
  const fresh = (await storedColumns(session, shadowTable)) ?? new Map();
  const old = await storedColumns(session, name);
  if (!old) {
    await renameShadow(session, publication);
    await rememberSchema(session, writing.books, shape);
    await markPublished(session, publication, loaded);
    return { result: loaded };
  }
  await session.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  if (JSON.stringify(await userIndexes(session, name)) !== JSON.stringify(indexes)) return 'indexes changed';
  const { views, blockers } = await dependentsOf(session, name);
  if (blockers.length > 0) return { reason: blockers.join(', ') };
  const [{ oid } = { oid: '' }] = await session.query('SELECT to_regclass($1)::oid AS oid', [name]);
  const options = await optionStatements(session, oid ?? '', name);
  const carried = await carriedFrom(session, oid ?? '', 'TABLE', name, new Set(fresh.keys()));
  await dropViews(session, views);
  await session.query(`DROP TABLE ${name}`);
  await renameShadow(session, publication);
  await renameIndexes(session, publication, indexes);
  await startAsOwner(session, 'TABLE', name, carried.owner);
  for (const statement of [...options, ...carried.statements]) await session.query(statement);
  await createViews(session, views);
  const result = { rows: loaded.rows, notes: [...loaded.notes, ...differences(old, fresh)] };
  await rememberSchema(session, writing.books, shape);
  await markPublished(session, publication, result);
  return { result };
}

async function renameShadow(session: Session, { writing, shadow, table, shape }: Publication): Promise<void> {
  const { namespace } = writing.target;
  await session.query(`ALTER TABLE ${qualified(namespace, shadow)} RENAME TO ${quoted(table)}`);
  await renameSearch(session, namespace, shadow, table);
  if (shape.key.length === 0) return;
  await session.query(
    `ALTER TABLE ${qualified(namespace, table)} RENAME CONSTRAINT ${quoted(keyName(shadow))} TO ${quoted(keyName(table))}`,
  );
}

/** Storage options and replica identity of the old table. */
async function optionStatements(session: Session, oid: string, name: string): Promise<readonly string[]> {
  const [row] = await session.query(
    `SELECT array_to_string(c.reloptions, ', ') AS options, c.relreplident = 'f' AS full,
       (SELECT string_agg('toast.' || option, ', ') FROM unnest(t.reloptions) option) AS toast
     FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.oid = $1`,
    [oid],
  );
  return [
    ...(row?.options ? [`ALTER TABLE ${name} SET (${row.options})`] : []),
    ...(row?.toast ? [`ALTER TABLE ${name} SET (${row.toast})`] : []),
    ...(row?.full === 't' ? [`ALTER TABLE ${name} REPLICA IDENTITY FULL`] : []),
  ];
}

function differences(old: StoredColumns, fresh: StoredColumns): readonly string[] {
  return [...old].flatMap(([name, { type }]) => {
    if (name === DELETED_AT) return [];
    const now = fresh.get(name)?.type;
    if (now === undefined) return [`column ${name} (${type}) went away with the old records`];
    return now === type ? [] : [`column ${name} is ${now} now, and was ${type}`];
  });
}

/** Where deletes are soft, records that the load no longer found stay, marked deleted. */
async function carryDeleted(session: Session, { writing, shape, table, shadow }: Publication): Promise<void> {
  const { namespace, softDeletes } = writing.target;
  const old = await storedColumns(session, qualified(namespace, table));
  const fresh = await storedColumns(session, qualified(namespace, shadow));
  if (!softDeletes || !old || !fresh || shape.key.length === 0) return;
  const key = keyColumns(shape);
  if (!key.every((name) => old.has(name))) return;
  const shared = [...fresh].filter(([name]) => old.has(name) && name !== DELETED_AT && name !== SYNCED_AT);
  const columns = [...shared.map(([name]) => quoted(name)), SYNCED_AT, DELETED_AT];
  const values = shared.map(([name, { type }]) => `t.${quoted(name)}::${type}`);
  const deletedAt = old.has(DELETED_AT) ? `coalesce(t.${DELETED_AT}, now())` : 'now()';
  await session.query(
    `INSERT INTO ${qualified(namespace, shadow)} (${columns.join(', ')})
     SELECT ${[...values, `t.${SYNCED_AT}`, deletedAt].join(', ')} FROM ${qualified(namespace, table)} t
     ON CONFLICT (${key.map(quoted).join(', ')}) DO NOTHING`,
  );
}
