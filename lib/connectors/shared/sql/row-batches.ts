import type { Batch, Row, RowBatch } from '../../../core/batch';
import type { Position } from '../../../core/position';
import type { StreamSchema } from '../../../core/schema';

/** How batches are made of rows. */
export interface BatchShape {
  readonly schema: StreamSchema;
  /** The position after a batch that is not the last; the rows still have the cells beyond those of the schema. */
  after(rows: readonly Row[]): Position;
  /** The position after the last batch. */
  readonly end: Position;
}

/** Rows with the positions after them; `end` comes with the last, so each batch waits until the next one is there. */
export async function* rowBatches(rows: AsyncIterable<Row[]>, shape: BatchShape): AsyncGenerator<RowBatch> {
  const { schema, after, end } = shape;
  let waiting: Row[] | undefined;
  for await (const next of rows) {
    if (waiting) yield batchOf(schema, waiting, after(waiting));
    waiting = next;
  }
  if (waiting) yield batchOf(schema, waiting, end);
}

function batchOf(schema: StreamSchema, rows: Row[], after: Position): RowBatch {
  const width = schema.columns.length;
  if ((rows[0]?.length ?? 0) > width) for (const row of rows) row.length = width;
  return { kind: 'rows', schema, rows, after };
}

/** Adds a batch without rows where the last batch did not reach `end`, so that the position always arrives there. */
export async function* ending(
  batches: AsyncIterable<Batch>,
  schema: StreamSchema,
  from: Position | undefined,
  end: Position,
): AsyncGenerator<Batch> {
  let last = from;
  for await (const batch of batches) {
    last = batch.after;
    yield batch;
  }
  if (JSON.stringify(last) !== JSON.stringify(end)) yield { kind: 'rows', schema, rows: [], after: end };
}
