import type { Row } from '../../core/batch';
import type { Size } from '../shared/sql/session';

/** Rows, with about how many bytes each takes. */
export interface Chunk {
  readonly rows: readonly Row[];
  readonly bytes: readonly number[];
}

/** Makes batches of the size that is wanted. */
export async function* batched(chunks: AsyncIterable<Chunk>, size: Size): AsyncGenerator<Row[]> {
  let filling: Row[] = [];
  let weight = 0;
  for await (const { rows, bytes } of chunks) {
    for (let index = 0; index < rows.length; index++) {
      filling.push(rows[index] as Row);
      weight += bytes[index] as number;
      if (filling.length < size.rows && weight < size.bytes) continue;
      yield filling;
      [filling, weight] = [[], 0];
    }
  }
  if (filling.length > 0) yield filling;
}
