import type { Row, RowBatch } from '../../core/batch';
import { Op } from '../../core/batch';
import type { ScanRequest } from '../../core/connector';
import type { Position } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import { rowBytes } from '../shared/documents/rows';

/** A record of an answer; without a row it only moves the position. */
export interface Found {
  readonly row?: Row;
  readonly isDelete?: true;
  readonly after: Position;
}

const FIRST_PAGE = 100;
const LARGEST_PAGE = 5000;
const PAGE_BYTES = 4 << 20;

/** How many records the next page should have, so that it is about 4 MB: some servers hold a page in memory. */
export function pageLimit(records = 0, bytes = 0): number {
  if (records === 0) return FIRST_PAGE;
  return Math.max(1, Math.min(LARGEST_PAGE, Math.floor((PAGE_BYTES * records) / Math.max(1, bytes))));
}

/** Batches of the size that is wanted. Deletes are marked in `ops`. */
export async function* batchesOf(
  found: AsyncIterable<Found>,
  schema: StreamSchema,
  size: ScanRequest['size'],
): AsyncGenerator<RowBatch> {
  let rows: Row[] = [];
  let ops: number[] = [];
  let bytes = 0;
  let after: Position | undefined;
  const batch = (at: Position): RowBatch => ({
    kind: 'rows',
    schema,
    rows,
    after: at,
    ...(ops.includes(Op.Delete) && { ops: Uint8Array.from(ops) }),
  });
  for await (const one of found) {
    after = one.after;
    if (one.row === undefined) continue;
    rows.push(one.row);
    ops.push(one.isDelete ? Op.Delete : Op.Insert);
    bytes += rowBytes(one.row);
    if (rows.length < size.rows && bytes < size.bytes) continue;
    yield batch(after);
    [rows, ops, bytes, after] = [[], [], 0, undefined];
  }
  if (after) yield batch(after);
}
