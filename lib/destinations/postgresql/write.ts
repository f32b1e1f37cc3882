import type { Batch } from '../../core/batch';
import type { Rejection, WriteOptions, WriteResult } from '../../core/destination';
import type { Position, SliceKey } from '../../core/position';
import type { SearchableStream } from '../../core/search';
import { type Bookkeeping, movePosition } from './bookkeeping';
import { isDataError } from './classify';
import { shadowName } from './names';
import { forgetDeleted, quarantine } from './quarantine';
import type { QuarantineCipher } from './quarantine-cipher';
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
  readonly cipher: QuarantineCipher;
  /** Shadow tables that were found to hold a shape. Ours alone, they only ever gain columns, so they go on to hold it. */
  readonly fitting: WeakMap<Shape, Map<string, StoredColumns>>;
  /** What is indexed for the search. */
  readonly search: ReadonlyMap<string, SearchableStream>;
}

/** What a transaction wrote, and what ends it. */
interface Done {
  readonly after: Position;
  readonly rows: number;
  readonly bytes: number;
  /** By the pipeline. */
  readonly rejected: readonly Rejection[];
  /** By us. */
  readonly refused: readonly Rejection[];
}

/** The end of every write: what could not be stored goes to quarantine, and the position moves. */
export async function finishWrite(
  session: Session,
  writing: Writing,
  slice: SliceKey,
  options: WriteOptions,
  { after, rows, bytes, rejected, refused }: Done,
): Promise<WriteResult> {
  const left = [...rejected, ...refused];
  if (left.length > 0) await quarantine(session, writing, slice, options, left);
  await movePosition(session, writing.books, slice, { fence: options.fence, position: after, rows });
  return { rows, bytes, quarantined: refused.length };
}

/** See `Destination.write`: all in one transaction, at whose end the position moves. */
export async function writeBatch(
  session: Session,
  writing: Writing,
  batch: Batch,
  slice: SliceKey,
  options: WriteOptions,
): Promise<WriteResult> {
  const finish = ({ rejected, ...counts }: Written) =>
    finishWrite(session, writing, slice, options, {
      ...counts,
      after: batch.after,
      rejected: options.rejected ?? [],
      refused: rejected,
    });
  if (batch.kind === 'rows' && batch.rows.length === 0) {
    return transaction(session, () => finish({ rows: 0, bytes: 0, rejected: [] }));
  }
  const shape = await writing.bind(session, batch.schema);
  const load = slice.load !== undefined;
  const staging = isStaged(batch, shape, load) ? await ensureStaging(session, shape) : undefined;
  const attempt = (careful: boolean) =>
    writeToTable(session, writing, shape, slice, async (table, stored) => {
      const move = { shape, stored, table, staging, softDeletes: writing.target.softDeletes };
      const written = await writeKind(session, batch, { move, load, careful, sources: options.sources });
      if (!load) await forgetDeleted(session, writing, slice, batch, options.sources);
      return finish(written);
    });
  try {
    return await attempt(false);
  } catch (error) {
    if (batch.kind !== 'rows' || !isDataError(error)) throw error;
    return await attempt(true);
  }
}

/** Runs `work` in a transaction in which the slice's table cannot change, and fits the shape. */
export async function writeToTable<T>(
  session: Session,
  writing: Writing,
  shape: Shape,
  { stream, load }: SliceKey,
  work: (table: string, stored: StoredColumns) => Promise<T>,
): Promise<T> {
  const { namespace } = writing.target;
  const table = load === undefined ? shape.table : shadowName(stream, load);
  const known = load === undefined ? undefined : writing.fitting.get(shape)?.get(table);
  const stored = await beginWrite(session, namespace, table, known);
  return finishTransaction(session, async () => {
    checkFits(shape, stored);
    if (load !== undefined && !known) rememberFit(writing, shape, table, stored);
    return work(qualified(namespace, table), stored);
  });
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
