import type { PrunedRecords, QuarantineBounds } from '../../core/quarantine';
import { OF_LOAD } from './quarantine';
import type { Session } from './session';
import type { Writing } from './write';

/** What one statement removes. */
const GROUP_RECORDS = 5000;

/** Which entries of the alias `q` a later load has made void: SQL over the table of loads. */
export function voidedBy(loads: string): string {
  return `EXISTS (SELECT FROM ${loads} l WHERE l.integration = q.integration AND l.stream = q.stream AND (
    (l.state = 'published' AND l.started_at > q.at)
    OR (l.state = 'discarded' AND l.load = q.load AND q.record_key LIKE '${OF_LOAD}%')))`;
}

/** See `QuarantineStore.prune`. */
export async function pruneQuarantine(
  session: Session,
  { books }: Writing,
  integration: string,
  { maxRecords, maxAgeMs }: QuarantineBounds,
  signal: AbortSignal,
): Promise<readonly PrunedRecords[]> {
  const pruned: PrunedRecords[] = [];
  const streams = await session.query(
    `SELECT DISTINCT stream FROM ${books.quarantine} WHERE integration = $1 ORDER BY stream`,
    [integration],
  );
  for (const { stream } of streams) {
    const remove = async (cause: PrunedRecords['cause'], where: string, value: string | number | null) => {
      const records = await removeInGroups(
        session,
        books.quarantine,
        [integration, stream ?? '', value],
        where,
        signal,
      );
      if (records > 0) pruned.push({ stream: stream ?? '', cause, records });
    };
    await remove('superseded', `$3::text IS NULL AND ${voidedBy(books.loads)}`, null);
    await remove('too_old', `q.at < now() - $3::float8 * interval '1 millisecond'`, maxAgeMs);
    const [newest] = await session.query(
      `SELECT id FROM ${books.quarantine} WHERE integration = $1 AND stream = $2 ORDER BY id DESC OFFSET $3 LIMIT 1`,
      [integration, stream ?? '', maxRecords],
    );
    if (newest !== undefined) await remove('too_many', 'q.id <= $3::bigint', newest.id ?? '0');
  }
  return pruned;
}

async function removeInGroups(
  session: Session,
  quarantine: string,
  values: readonly (string | number | null)[],
  where: string,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (;;) {
    signal.throwIfAborted();
    const group = await session.execute(
      `DELETE FROM ${quarantine} WHERE id IN (SELECT q.id FROM ${quarantine} q
         WHERE q.integration = $1 AND q.stream = $2 AND ${where} ORDER BY q.id LIMIT ${GROUP_RECORDS})`,
      values,
    );
    removed += group;
    if (group < GROUP_RECORDS) return removed;
  }
}
