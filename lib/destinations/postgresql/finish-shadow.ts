import { Fault } from '../../core/fault';
import { errorCode } from './classify';
import { addKey } from './create';
import { storedKey } from './evolve';
import { raiseMaintenanceMemory } from './maintenance-memory';
import { quoted } from './names';
import type { Publication } from './publish';
import { ensureSearch } from './search-index';
import { type Session, transaction } from './session';
import { keyColumns } from './shape';
import { qualified } from './table';

/** What was found while the key was built. */
export interface Finished {
  readonly duplicates: number;
  readonly notes: readonly string[];
}

/** Builds the key of a filled shadow table, its search indexes and its statistics, before anybody waits for it. Idempotent. */
export async function finishShadow(session: Session, publication: Publication): Promise<Finished> {
  const { shape, shadow, writing } = publication;
  const name = qualified(writing.target.namespace, shadow);
  const keyed = shape.key.length === 0 || (await storedKey(session, name)) !== undefined;
  const duplicates = keyed ? 0 : await transaction(session, () => buildKey(session, publication, name));
  const indexed = await transaction(session, () => ensureSearch(session, writing, shape, shadow));
  await session.query(`ANALYZE ${name}`);
  const words = `${duplicates} records had the key of another one; the one that was written last was kept`;
  return { duplicates, notes: [...(duplicates > 0 ? [words] : []), ...indexed.notes] };
}

async function buildKey(session: Session, publication: Publication, name: string): Promise<number> {
  const { shape, shadow, writing } = publication;
  await raiseMaintenanceMemory(session);
  await session.query('SAVEPOINT key');
  try {
    await addKey(session, writing.target, shape, shadow);
    return 0;
  } catch (error) {
    if (errorCode(error) === '23502') throw emptyKey(publication, error);
    if (errorCode(error) !== '23505') throw error;
    await session.query('ROLLBACK TO SAVEPOINT key');
  }
  const key = keyColumns(shape).map(quoted).join(', ');
  const removed = await session.execute(
    `DELETE FROM ${name} WHERE ctid IN (SELECT ctid FROM
      (SELECT ctid, row_number() OVER (PARTITION BY ${key} ORDER BY ctid DESC) AS place FROM ${name}) r WHERE place > 1)`,
  );
  await addKey(session, writing.target, shape, shadow);
  // A second try must not count these rows again.
  await session.execute(
    `UPDATE ${writing.books.positions} SET rows = rows - $4 WHERE (integration, stream, load, partition) IN
      (SELECT integration, stream, load, min(partition) FROM ${writing.books.positions}
       WHERE integration = $1 AND stream = $2 AND load = $3 GROUP BY 1, 2, 3)`,
    [publication.integration, shape.schema.stream, publication.load, removed],
  );
  return removed;
}

function emptyKey({ shape }: Publication, cause: unknown): Fault {
  const key = keyColumns(shape).join(', ');
  return new Fault(
    'config',
    'key_changed',
    `publishing ${shape.schema.stream}: records have no value in the key (${key})`,
    {
      cause,
      hint: 'The key of the stream changed during the load; run the full load again.',
    },
  );
}
