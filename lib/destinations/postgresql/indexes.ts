import { Fault } from '../../core/fault';
import { errorCode } from './classify';
import { raiseMaintenanceMemory } from './maintenance-memory';
import { passingName, quoted, SEARCH_INDEX, SIMILAR_INDEX } from './names';
import type { Publication } from './publish';
import { type Session, transaction } from './session';
import { qualified } from './table';

/** An index that somebody made on the visible table. */
export interface UserIndex {
  readonly name: string;
  readonly unique: boolean;
  /** What follows `ON table` in its definition. */
  readonly rest: string;
  readonly comment: string | null;
}

/** The indexes of a table beside its key and those for the search; names in definitions are written in full. */
export async function userIndexes(session: Session, table: string): Promise<readonly UserIndex[]> {
  const rows = await session.query(
    `SELECT c.relname AS name, i.indisunique AS unique, quote_literal(obj_description(c.oid, 'pg_class')) AS comment,
       substr(pg_get_indexdef(c.oid), length(format('CREATE %sINDEX %I ON %I.%I',
         CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname, n.nspname, t.relname)) + 1) AS rest
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
     JOIN pg_namespace n ON n.oid = t.relnamespace
     WHERE i.indrelid = to_regclass($1) AND NOT i.indisprimary AND i.indisvalid
       AND NOT starts_with(c.relname, $2) AND NOT starts_with(c.relname, $3) ORDER BY c.relname`,
    [table, SEARCH_INDEX, SIMILAR_INDEX],
  );
  return rows.map(({ name, unique, rest, comment }) => ({
    name: name ?? '',
    unique: unique === 't',
    rest: rest ?? '',
    comment: comment ?? null,
  }));
}

/** Builds them on the shadow under passing names, before anybody has to wait. */
export async function buildIndexes(
  session: Session,
  publication: Publication,
  indexes: readonly UserIndex[],
): Promise<void> {
  const { shadow, writing } = publication;
  const { namespace } = writing.target;
  if (indexes.length === 0) return;
  await transaction(session, async () => {
    await raiseMaintenanceMemory(session);
    for (const { name, unique, rest } of indexes) {
      const passing = passingName(name, shadow);
      await session.query(`DROP INDEX IF EXISTS ${qualified(namespace, passing)}`);
      const create = `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${quoted(passing)} ON ${qualified(namespace, shadow)}${rest}`;
      try {
        await session.query(create);
      } catch (error) {
        throw errorCode(error) === '23505' ? violated(publication, name, error) : error;
      }
    }
  });
}

/** Gives the indexes of the former shadow their proper names. */
export async function renameIndexes(
  session: Session,
  { shadow, writing }: Publication,
  indexes: readonly UserIndex[],
): Promise<void> {
  const { namespace } = writing.target;
  for (const { name, comment } of indexes) {
    await session.query(`ALTER INDEX ${qualified(namespace, passingName(name, shadow))} RENAME TO ${quoted(name)}`);
    if (comment !== null) await session.query(`COMMENT ON INDEX ${qualified(namespace, name)} IS ${comment}`);
  }
}

function violated({ shape, table, writing }: Publication, index: string, cause: unknown): Fault {
  return new Fault(
    'config',
    'unique_index_violated',
    `publishing ${shape.schema.stream}: the loaded records violate the unique index ${index} of table ${writing.target.namespace}.${table}`,
    { cause, hint: `Drop the index ${index}, or make it not unique. The old records are still in place.` },
  );
}
