import type { PublishResult } from '../../core/destination';
import { INCREMENT } from '../../core/position';
import type { Bookkeeping } from './bookkeeping';
import type { Publication } from './publish';
import type { Session } from './session';

/** Marks the load published and forgets its positions, inside the transaction that makes it visible. */
export async function markPublished(session: Session, publication: Publication, result: PublishResult): Promise<void> {
  const { writing, integration, shape, load } = publication;
  await forgetPositions(session, writing.books, integration, shape.schema.stream, load);
  await setIncrement(session, publication);
  await session.execute(
    `UPDATE ${writing.books.loads} SET state = 'published', rows = $4, notes = $5, updated_at = now()
     WHERE integration = $1 AND stream = $2 AND load = $3`,
    [integration, shape.schema.stream, load, result.rows, JSON.stringify(result.notes)],
  );
  await session.execute(
    `DELETE FROM ${writing.books.loads} WHERE integration = $1 AND stream = $2 AND state <> 'loading'
     AND updated_at < now() - interval '90 days'`,
    [integration, shape.schema.stream],
  );
}

/** The increments go on from the load; their fence stays, so that writers that were shut out remain so. */
async function setIncrement(session: Session, { writing, integration, shape, next }: Publication): Promise<void> {
  const slice = [integration, shape.schema.stream, INCREMENT];
  if (next === undefined) {
    await session.execute(
      `UPDATE ${writing.books.positions} SET position = NULL, rows = 0, updated_at = now()
       WHERE integration = $1 AND stream = $2 AND partition = $3 AND load = ''`,
      slice,
    );
    return;
  }
  await session.execute(
    `INSERT INTO ${writing.books.positions} AS p (integration, stream, partition, load, fence, position)
     VALUES ($1, $2, $3, '', 0, $4)
     ON CONFLICT (integration, stream, partition, load) DO UPDATE
     SET position = excluded.position, rows = 0, updated_at = now()`,
    [...slice, JSON.stringify(next)],
  );
}

/** Removes the positions of a load. */
export async function forgetPositions(
  session: Session,
  books: Bookkeeping,
  integration: string,
  stream: string,
  load: string,
): Promise<void> {
  await session.execute(`DELETE FROM ${books.positions} WHERE integration = $1 AND stream = $2 AND load = $3`, [
    integration,
    stream,
    load,
  ]);
}
