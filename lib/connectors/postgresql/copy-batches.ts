import type { Batch, Row, RowBatch } from '../../core/batch';
import type { Position } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import { type CopyLines, CopyText, type Filled } from './copy-text';
import type { Session } from './session';

interface RowsRequest {
  readonly session: Session;
  /** What to read: the columns of `schema`, then `extra` more. */
  readonly select: string;
  readonly extra: number;
  readonly schema: StreamSchema;
  readonly size: { readonly rows: number; readonly bytes: number };
  /** The position after a batch that is not the last. */
  after(filled: Filled): Position;
  /** The position after the last batch. */
  readonly end: Position;
}

/** Reads a query by COPY as batches of rows; `end` comes with the last of them, and none is made of no rows. */
export async function* copyRows(request: RowsRequest): AsyncGenerator<RowBatch> {
  const { session, schema, size } = request;
  const text = new CopyText(schema.columns, request.extra, session.serverEncoding === 'SQL_ASCII');
  for await (const chunk of session.copy(copyOut(request.select, 'text'))) {
    text.push(chunk);
    // A batch is only full when another row follows it, so the last one is always left for the end.
    for (let filled = text.fill(size); filled !== undefined; filled = text.fill(size)) {
      yield new TextBatch(schema, filled.lines, request.after(filled));
    }
  }
  if (text.waiting > 0) yield new TextBatch(schema, text.rest().lines, request.end);
}

class TextBatch implements RowBatch {
  readonly kind = 'rows';
  readonly schema: StreamSchema;
  readonly after: Position;
  readonly text: CopyLines;

  constructor(schema: StreamSchema, text: CopyLines, after: Position) {
    this.schema = schema;
    this.after = after;
    this.text = text;
  }

  get rows(): Row[] {
    return this.text.rows;
  }
}

/** `COPY (...) TO STDOUT` of a query. */
export function copyOut(select: string, format: 'text' | 'binary'): string {
  return `COPY (${select}) TO STDOUT (FORMAT ${format})`;
}

/** Adds a batch without rows where the last batch did not reach `end`, so that the position always arrives there. */
export async function* ending(
  batches: AsyncIterable<Batch> | Iterable<Batch>,
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
