import type { ByteBatch } from '../../core/batch';
import { Fault } from '../../core/fault';
import { errorCode, isDataError } from './classify';
import { quoted } from './names';
import type { Session } from './session';
import type { Shape } from './shape';
import { stagingColumn } from './staging';
import type { StoredColumns } from './table';
import { lastUpsertStatement } from './upsert';
import type { Way, Written } from './write-rows';

/** Small pieces are joined to about this much. */
const CHUNK_BYTES = 128 * 1024;

/** Streams a document of COPY inside the caller's transaction, without looking into it. */
export async function writeBytes(session: Session, batch: ByteBatch, way: Way): Promise<Written> {
  const { move } = way;
  const { shape, staging, table } = move;
  const binary = batch.format === 'pgcopy-binary';
  if (!binary && batch.format !== 'pgcopy-text') throw rejected(shape, `the format ${batch.format} is not taken`);
  if (binary && !shape.columns.every(({ exact }) => exact))
    throw rejected(shape, 'a type has another binary form here');
  if (staging === undefined && !sameTypes(shape, move.stored))
    throw rejected(shape, 'the stored table has wider types');
  const columns = shape.columns.map(({ name }, place) => (staging === undefined ? quoted(name) : stagingColumn(place)));
  let bytes = 0;
  const counted = joined(batch.body, (length) => {
    bytes += length;
  });
  try {
    // Places in the file tell the order of staged rows, and only an empty file begins at its beginning.
    if (staging !== undefined) await session.query(`TRUNCATE ${staging}`);
    const format = binary ? ' (FORMAT binary)' : '';
    const rows = await session.copy(`COPY ${staging ?? table} (${columns.join(', ')}) FROM STDIN${format}`, counted);
    if (staging !== undefined) await session.query(lastUpsertStatement({ ...move, staging }, 'ctid'));
    return { rows, bytes, rejected: [] };
  } catch (error) {
    throw isDataError(error) ? rejected(shape, `the database refused a value (${errorCode(error)})`, error) : error;
  }
}

function sameTypes(shape: Shape, stored: StoredColumns): boolean {
  return shape.columns.every(({ name, type }) => stored.get(name)?.type === type);
}

function rejected(shape: Shape, why: string, cause?: unknown): Fault {
  return new Fault('data', 'bytes_rejected', `writing ${shape.schema.stream}: ${why}`, {
    cause,
    hint: 'Nothing was written; the same range is read again as rows.',
  });
}

async function* joined(
  body: AsyncIterable<Uint8Array>,
  count: (length: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    count(chunk.length);
    if (length === 0 && chunk.length >= CHUNK_BYTES) {
      yield chunk;
      continue;
    }
    waiting.push(chunk);
    length += chunk.length;
    if (length < CHUNK_BYTES) continue;
    yield Buffer.concat(waiting, length);
    waiting = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(waiting, length);
}
