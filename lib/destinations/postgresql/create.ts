import { DELETED_AT, keyName, quoted, SYNCED_AT } from './names';
import type { Session } from './session';
import { keyColumns, type Shape, type Target } from './shape';
import { qualified } from './table';

/** Creates a table for the shape; a shadow gets its key only once it is filled. */
export async function createTable(
  session: Session,
  target: Target,
  shape: Shape,
  table: string,
  withKey: boolean,
): Promise<void> {
  const columns = shape.columns.map(
    ({ name, type }, place) => `${quoted(name)} ${type}${shape.key.includes(place) ? ' NOT NULL' : ''}`,
  );
  columns.push(...metadataDefinitions(target));
  await session.query(`CREATE TABLE ${qualified(target.namespace, table)} (${columns.join(', ')})`);
  if (withKey && shape.key.length > 0) await addKey(session, target, shape, table);
}

/** Gives the table its primary key. */
export async function addKey(session: Session, target: Target, shape: Shape, table: string): Promise<void> {
  const columns = keyColumns(shape).map(quoted).join(', ');
  await session.query(
    `ALTER TABLE ${qualified(target.namespace, table)}
     ADD CONSTRAINT ${quoted(keyName(table))} PRIMARY KEY (${columns})`,
  );
}

/** The definitions of our own columns. */
export function metadataDefinitions(target: Target): readonly string[] {
  const synced = `${quoted(SYNCED_AT)} timestamptz NOT NULL DEFAULT now()`;
  return target.softDeletes ? [synced, `${quoted(DELETED_AT)} timestamptz`] : [synced];
}
