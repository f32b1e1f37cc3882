import type { Db } from 'mongodb';
import type { Batch, Row } from '../../core/batch';
import type { ScanRequest } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Position } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import { findCollection, replaced } from './collections';
import { documents } from './documents';
import { rangeFilters } from './id-order';
import { ID } from './identifiers';
import type { Part } from './parts';
import { idOf, RowReader } from './rows';

/** What a scan works with. */
export interface Scan {
  readonly db: Db;
  readonly request: ScanRequest;
  /** The same object from batch to batch. */
  readonly schema: StreamSchema;
  readonly timeLimitMs?: number;
}

interface PartValue {
  readonly done?: true;
  readonly after?: string;
}

const FORMAT = 1;
/** The position after a whole part. */
const DONE: Position = { format: FORMAT, value: { done: true } };
const LONGEST_ID = 6000;

/**
 * Reads a range in the order of `_id`. The position is the last one, so that any process goes on behind it; a document
 * that is there all the time is read exactly once, as `_id` never changes.
 */
export async function* scanPart(scan: Scan, part: Part): AsyncGenerator<Batch> {
  const { db, request, schema } = scan;
  const { stream } = schema;
  const { done, after } = (request.from?.value ?? {}) as PartValue;
  if (done) return;
  await checkIdentity(scan, part);
  const reader = new RowReader(schema);
  const sort = { [ID]: 1 } as const;
  let rows: Row[] = [];
  let bytes = 0;
  for (const range of rangeFilters({ ...part, ...(after !== undefined && { after }) })) {
    const query = { collection: stream, ...range, sort, ...timeLimit(scan) };
    for await (const found of documents(db, query, request)) {
      for (const document of found) {
        rows.push(reader.read(document));
        bytes += document.length;
        if (rows.length < request.size.rows && bytes < request.size.bytes) continue;
        yield { kind: 'rows', schema, rows, after: positionAfter(document, stream) };
        rows = [];
        bytes = 0;
      }
    }
  }
  // What was dropped in between would look as if it had ended here.
  await checkIdentity(scan, part);
  yield { kind: 'rows', schema, rows, after: DONE };
}

/** The limit for each operation at the server. */
export function timeLimit({ timeLimitMs }: Scan): { readonly timeLimitMs?: number } {
  return timeLimitMs === undefined ? {} : { timeLimitMs };
}

async function checkIdentity({ db, request }: Scan, { uuid }: Part): Promise<void> {
  const found = await findCollection(db, request.stream.stream, request.signal);
  if (uuid !== undefined && found.uuid !== undefined && found.uuid !== uuid) throw replaced(found.name);
}

function positionAfter(document: Buffer, stream: string): Position {
  return { format: FORMAT, value: { after: boundedId(document, stream) } };
}

/** `_id` for a position. @throws Fault where it is too long for one */
export function boundedId(document: Buffer, stream: string): string {
  const id = idOf(document) ?? 'null';
  if (id.length <= LONGEST_ID) return id;
  throw new Fault('data', 'id_too_long', `reading ${stream}: _id ${id.slice(0, 60)}... is too long to resume from`, {
    hint: `An _id may have ${LONGEST_ID} characters at most; leave the collection out by "collections".`,
  });
}
