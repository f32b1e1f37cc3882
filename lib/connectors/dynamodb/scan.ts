import type { Row, RowBatch } from '../../core/batch';
import type { ScanRequest } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Json } from '../../core/json';
import type { Position } from '../../core/position';
import { rowBytes, rowMaker } from '../shared/documents/rows';
import { attributes } from './attributes';
import type { DynamodbClient, Item, Page } from './client';
import { DONE, placeOf, positionBehind } from './position';

/** A segment of a parallel scan. */
export interface Part {
  readonly segment: number;
  readonly of: number;
  /** The id of the table that was planned. */
  readonly table: string;
}

/** What the scan of a part works with. */
export interface PartScan {
  readonly client: DynamodbClient;
  readonly consistent: boolean;
  readonly request: ScanRequest;
}

/** The segment that a part names. */
export function partOf(partition: Json | undefined): Part | undefined {
  return partition === undefined || partition === null ? undefined : (partition as unknown as Part);
}

/** How pages become batches. */
interface Pages {
  readonly part: Part;
  /** The key of the last item that was read. */
  readonly start: Item | undefined;
  wanted(item: Item): boolean;
  /** The position behind an item with this key. */
  behind(key: Item): Position;
  readonly end: Position;
}

/** Reads one segment page by page, behind the key of the last item that was read. */
export async function* scanPart(scan: PartScan, part: Part): AsyncGenerator<RowBatch> {
  const place = placeOf(scan.request.from);
  if (place.done) return;
  yield* scanPages(scan, { part, start: place.key, wanted: () => true, behind: positionBehind, end: DONE });
}

/** Reads the wanted items of one segment page by page. */
export async function* scanPages(scan: PartScan, pages: Pages): AsyncGenerator<RowBatch> {
  const cut = cutter(scan.request, pages);
  for (let { start } = pages; ; ) {
    const page = await readPage(scan, pages.part, start);
    yield* cut(page);
    if (page.last === undefined) return;
    start = page.last;
  }
}

async function readPage({ client, consistent, request }: PartScan, part: Part, start: Item | undefined): Promise<Page> {
  try {
    return await client.scan(
      {
        TableName: request.stream.stream,
        ...(part.of > 1 && { Segment: part.segment, TotalSegments: part.of }),
        ...(start && { ExclusiveStartKey: { ...start } }),
        ConsistentRead: consistent,
      },
      request.signal,
    );
  } catch (error) {
    if (start === undefined || (error as { name?: unknown }).name !== 'ValidationException') throw error;
    throw replaced(request.stream.stream, error);
  }
}

/** The fault of a table that is not the one that was planned. */
export function replaced(table: string, cause?: unknown): Fault {
  return new Fault('lost', 'table_replaced', `${table} was removed and made again since its read began`, {
    hint: 'The full read begins anew by itself.',
    cause,
  });
}

function cutter({ stream: schema, size }: ScanRequest, { wanted, behind, end }: Pages) {
  const toRow = rowMaker(schema, attributes);
  const { key } = schema;
  return function* cut({ items, last }: Page): Generator<RowBatch> {
    let rows: Row[] = [];
    let bytes = 0;
    for (const [index, item] of items.entries()) {
      if (!wanted(item)) continue;
      const row = toRow(Object.entries(item));
      rows.push(row);
      bytes += rowBytes(row);
      if (index === items.length - 1 || (rows.length < size.rows && bytes < size.bytes)) continue;
      yield { kind: 'rows', schema, rows, after: behind(keyOf(item, key)) };
      rows = [];
      bytes = 0;
    }
    yield { kind: 'rows', schema, rows, after: last ? behind(last) : end };
  };
}

function keyOf(item: Item, key: readonly string[]): Item {
  return Object.fromEntries(key.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
}
