import { createHash } from 'node:crypto';
import { quoted, RESERVED } from './names';
import type { Session } from './session';
import type { Shape } from './shape';

/** Each costs a little at every commit of its connection. */
const MOST_STAGING_TABLES = 8;

/** The columns before the data: number of the row, its operation, which of its cells are unchanged. */
export const STAGING_PREFIX = ['seq', 'op', 'unchanged'] as const;

/** The name in a staging table of the data column at `place`. */
export function stagingColumn(place: number): string {
  return `c${place}`;
}

/**
 * The temporary table through which rows of this shape go. Its columns have exactly the types of the shape, whatever
 * the stored table was widened to, so that binary forms fit. Streams of equal types share one; commit empties it.
 * Must be called outside a transaction, or a rollback would take the table away.
 */
export async function ensureStaging(session: Session, shape: Shape): Promise<string> {
  const columns = shape.columns.map(({ type }, place) => `${stagingColumn(place)} ${type}`).join(', ');
  const name = `${RESERVED}stage_${createHash('sha256').update(columns).digest('hex').slice(0, 16)}`;
  const table = `pg_temp.${quoted(name)}`;
  if (session.staging.has(name)) {
    session.staging.delete(name);
    session.staging.set(name, table);
    return table;
  }
  const [oldest] = session.staging;
  if (oldest && session.staging.size >= MOST_STAGING_TABLES) {
    await session.query(`DROP TABLE ${oldest[1]}`);
    session.staging.delete(oldest[0]);
  }
  await session.query(
    `CREATE TEMPORARY TABLE ${quoted(name)} (seq integer, op smallint, unchanged text${columns && `, ${columns}`}) ON COMMIT DELETE ROWS`,
  );
  session.staging.set(name, table);
  return table;
}
