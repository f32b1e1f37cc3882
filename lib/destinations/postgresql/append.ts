import type { RowBatch } from '../../core/batch';
import type { Addition, Rejection, WriteOptions, WriteResult } from '../../core/destination';
import { Fault } from '../../core/fault';
import type { SliceKey } from '../../core/position';
import { errorCode, isDataError } from './classify';
import { encodeRows, type Refusal, reasonOf } from './encode';
import { encodeMixed } from './encode-mixed';
import { quoted } from './names';
import type { Session } from './session';
import type { Shape } from './shape';
import { finishWrite, type Writing, writeToTable } from './write';

/** See `Destination.append`: one COPY, into which the batches go as they come. */
export async function appendBatches(
  session: Session,
  writing: Writing,
  additions: AsyncIterable<Addition>,
  slice: SliceKey,
  options: WriteOptions,
): Promise<WriteResult> {
  const iterator = additions[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) throw new Fault('bug', 'nothing_to_append', `writing ${slice.stream}: no batch was given`);
  const { schema } = first.value.batch;
  const shape = await writing.bind(session, schema);
  return writeToTable(session, writing, shape, slice, async (table) => {
    const group = new Group(shape, first.value.batch);
    const columns = shape.columns.map(({ name }) => quoted(name));
    try {
      await session.copy(`COPY ${table} (${columns.join(', ')}) FROM STDIN`, group.lines(first.value, iterator));
    } catch (error) {
      throw isDataError(error) ? rowsRejected(shape, error) : error;
    }
    return finishWrite(session, writing, slice, options, group.written());
  });
}

/** What went into the copy. */
class Group {
  readonly #shape: Shape;
  readonly #rejected: Rejection[] = [];
  readonly #refused: Rejection[] = [];
  #last: RowBatch;
  #rows = 0;
  #bytes = 0;

  constructor(shape: Shape, first: RowBatch) {
    this.#shape = shape;
    this.#last = first;
  }

  async *lines(first: Addition, rest: AsyncIterator<Addition>): AsyncGenerator<Uint8Array, void, undefined> {
    yield* this.#encoded(first);
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield* this.#encoded(next.value);
  }

  written() {
    return {
      after: this.#last.after,
      rows: this.#rows - this.#refused.length,
      bytes: this.#bytes,
      rejected: this.#rejected,
      refused: this.#refused,
    };
  }

  *#encoded({ batch, rejected, sources = batch }: Addition): Generator<Uint8Array, void, undefined> {
    const { mixed } = batch;
    this.#last = batch;
    this.#rows += (mixed ?? batch).rows.length;
    this.#rejected.push(...rejected);
    const refuse = ({ index, reason, field }: Refusal) =>
      void this.#refused.push({
        row: sources.rows[index] ?? [],
        schema: sources.schema,
        reasons: [reasonOf(reason, field)],
      });
    const shape = this.#shape;
    const chunks = mixed
      ? encodeMixed(shape, batch, mixed, refuse)
      : encodeRows({ shape, rows: batch.rows, ops: undefined, staged: false, refuse });
    for (const chunk of chunks) {
      this.#bytes += chunk.length;
      yield chunk;
    }
  }
}

function rowsRejected(shape: Shape, cause: unknown): Fault {
  const why = `the database refused a value (${errorCode(cause)})`;
  return new Fault('data', 'rows_rejected', `writing ${shape.schema.stream}: ${why}`, {
    cause,
    hint: 'Nothing was written; the same records are written again in smaller transactions, to find the one.',
  });
}
