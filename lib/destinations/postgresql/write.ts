import type { Batch } from '../../core/batch';
import type { Rejection, WriteOptions, WriteResult } from '../../core/destination';
import type { SliceKey } from '../../core/position';
import { type Bookkeeping, movePosition } from './bookkeeping';
import { isDataError } from './classify';
import { shadowName } from './names';
import { quarantine } from './quarantine';
import { finishTransaction, type Session, transaction } from './session';
import type { Bind, Shape, Target } from './shape';
import { ensureStaging } from './staging';
import { beginWrite, checkFits, qualified, type StoredColumns } from './table';
import { truncateStatement } from './upsert';
import { writeBytes } from './write-bytes';
import { type Written, writeRows } from './write-rows';

/** What all writes of one destination share. */
export interface Writing {
  readonly books: Bookkeeping;
  readonly target: Target;
  readonly bind: Bind;
  /** Shadow tables that were found to hold a shape. Ours alone, they only ever gain columns, so they go on to hold it. */
  readonly fitting: WeakMap<Shape, Map<string, StoredColumns>>;
}

/** See `Destination.write`: all in one transaction, at whose end the position moves. */
export async function writeBatch(
  session: Session,
  writing: Writing,
  batch: Batch,
  slice: SliceKey,
  options: WriteOptions,
): Promise<WriteResult> {
  const finish = async (written: Written): Promise<WriteResult> => {
    const rejected: readonly Rejection[] = [...(options.rejected ?? []), ...written.rejected];
    if (rejected.length > 0) await quarantine(session, writing.books, slice, options.run, rejected);
    const progress = { fence: options.fence, position: batch.after, rows: written.rows };
    await movePosition(session, writing.books, slice, progress);
    return { rows: written.rows, bytes: written.bytes, quarantined: written.rejected.length };
  };
  if (batch.kind === 'rows' && batch.rows.length === 0) {
    return transaction(session, () => finish({ rows: 0, bytes: 0, rejected: [] }));
  }
  const shape = await writing.bind(session, batch.schema);
  const load = slice.load !== undefined;
  const table = slice.load === undefined ? shape.table : shadowName(slice.stream, slice.load);
  const staging = isStaged(batch, shape, load) ? await ensureStaging(session, shape) : undefined;
  const attempt = async (careful: boolean) => {
    const known = load ? writing.fitting.get(shape)?.get(table) : undefined;
    const stored = await beginWrite(session, writing.target.namespace, table, known);
    return finishTransaction(session, async () => {
      checkFits(shape, stored);
      if (load && !known) rememberFit(writing, shape, table, stored);
      const name = qualified(writing.target.namespace, table);
      const move = { shape, stored, table: name, staging, softDeletes: writing.target.softDeletes };
      return finish(await writeKind(session, batch, { move, load, careful }));
    });
  };
  try {
    return await attempt(false);
  } catch (error) {
    if (batch.kind !== 'rows' || !isDataError(error)) throw error;
    return await attempt(true);
  }
}

type Way = Parameters<typeof writeRows>[2];

async function writeKind(session: Session, batch: Batch, way: Way): Promise<Written> {
  switch (batch.kind) {
    case 'rows':
      return writeRows(session, batch, way);
    case 'bytes':
      return writeBytes(session, batch, way);
    case 'truncate':
      return { rows: await session.execute(truncateStatement(way.move)), bytes: 0, rejected: [] };
  }
}

function rememberFit({ fitting }: Writing, shape: Shape, table: string, stored: StoredColumns): void {
  const tables = fitting.get(shape) ?? new Map<string, StoredColumns>();
  fitting.set(shape, tables.set(table, stored));
}

/** Rows of a keyed table meet rows that are there; all others are only added. */
function isStaged(batch: Batch, shape: Shape, load: boolean): boolean {
  return batch.kind !== 'truncate' && !load && shape.key.length > 0;
}
