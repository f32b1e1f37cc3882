import type { Db, Document } from 'mongodb';
import type { Batch, Row } from '../../core/batch';
import type { Cursor } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Position } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import { findCollection } from './collections';
import { type CursorKind, cursorKind } from './cursor-kind';
import { type CursorState, cursorState, Follower, NOTHING_READ, type Reached, statePosition } from './cursor-progress';
import { documents } from './documents';
import { boundedId, type Scan, timeLimit } from './full-scan';
import { bracketOf, bsonValue, type RangeFilter, rangeFilters, within, without } from './id-order';
import { ID } from './identifiers';
import { fieldJson, RowReader } from './rows';
import { readableUntil } from './server-clock';

/** A transaction of MongoDB may take as long by default, and is seen with its end. */
const OVERLAP_MS = 60_000;

/** A query of an increment, and whether its documents have a cursor value. */
interface Stage extends RangeFilter {
  readonly sort: { readonly [path: string]: 1 };
  readonly ordered: boolean;
}

/** Reads what is new since `request.from`. */
export async function* scanIncrement(scan: Scan): AsyncGenerator<Batch> {
  const { db, request, schema } = scan;
  const cursor = request.cursor as Cursor;
  const kind = cursorKind(schema, cursor);
  await findCollection(db, schema.stream, request.signal);
  const state = cursorState(request.from);
  const follower = new Follower(state, kind, state.inside ? null : await horizon(db, kind, cursor));
  const pending = new Pending(scan, state, follower);
  for (const stage of stages(state, kind, cursor.column)) {
    const query = { collection: schema.stream, ...stage, ...timeLimit(scan) };
    for await (const found of documents(db, query, request)) {
      for (const document of found) yield* stage.ordered ? pending.ordered(document, cursor) : pending.other(document);
    }
  }
  yield* pending.end();
}

/** Up to when the cursor values that exist can be relied on to be all. */
async function horizon(db: Db, kind: CursorKind, { lookbackMs }: Cursor): Promise<number | null> {
  return kind.isTime ? (await readableUntil(db)) - OVERLAP_MS - lookbackMs : null;
}

/** Where the first increment starts: before a full read, at the newest value that can be relied on. */
export async function startPosition(db: Db, schema: StreamSchema, cursor: Cursor): Promise<Position> {
  const kind = cursorKind(schema, cursor);
  const until = await horizon(db, kind, cursor);
  const { column } = cursor;
  const bound = until === null ? notNaN(kind) : { $lte: bsonValue(newest(kind, until)) };
  const filter = { [column]: { ...within(kind.bracket), ...NO_ARRAY, ...bound } };
  const options = { raw: true, limit: 1, allowDiskUse: true } as const;
  const found = (await db
    .collection(schema.stream)
    .find(filter, options)
    .sort({ [column]: -1 })
    .toArray()) as unknown;
  const [document] = found as Buffer[];
  const low = document === undefined ? undefined : fieldJson(document, column);
  if (low === undefined) return statePosition({ progress: NOTHING_READ });
  const isOpen = kind.isTime && !kind.isSettled(low, until);
  return statePosition({ progress: { low: isOpen ? justBefore(low) : low, seen: [] } });
}

/** The date one millisecond earlier: others may still get this one. */
function justBefore(date: string): string {
  return date.replace(/-?\d+/, (milliseconds) => String(BigInt(milliseconds) - 1n));
}

function newest(kind: CursorKind, until: number): string {
  const seconds = Math.max(0, Math.floor(until / 1000) - 1);
  const date = `{"$date":{"$numberLong":"${until}"}}`;
  return kind.bracket === bracketOf(date)
    ? date
    : `{"$oid":"${seconds.toString(16).padStart(8, '0')}${'f'.repeat(16)}"}`;
}

/** First the documents with a cursor value, in its order, then those without; each half resumes inside itself. */
function stages({ progress, inside }: CursorState, kind: CursorKind, column: string): Stage[] {
  const at = inside?.at;
  const ordered = at ? afterReached(column, at) : [plain(from(kind, column, progress.low))];
  const others = rangeFilters(at?.cursor === null ? { after: at.id } : {});
  return [
    ...ordered.map((range) => orderedStage(column, range)),
    ...others.map((range) => otherStage(and(withoutCursor(kind, column), range))),
  ];
}

function otherStage(range: RangeFilter): Stage {
  return { ...range, sort: { [ID]: 1 }, ordered: false };
}

function orderedStage(column: string, range: RangeFilter): Stage {
  return { ...range, sort: column === ID ? { [ID]: 1 } : { [column]: 1, [ID]: 1 }, ordered: true };
}

function plain(filter: Document): RangeFilter {
  return { filter, seldom: false };
}

// A comparison holds for an array if it holds for one of its values: arrays are read with those without a cursor value.
const NO_ARRAY = { $not: { $type: 'array' } };

function from(kind: CursorKind, column: string, low: string | null): Document {
  const condition = low === null ? { ...within(kind.bracket), ...notNaN(kind) } : after(kind, low);
  return { [column]: { ...condition, ...NO_ARRAY } };
}

function after({ isTime }: CursorKind, low: string): Document {
  return isTime ? { $gt: bsonValue(low) } : { $gte: bsonValue(low) };
}

/** Not a number has no place in the order. */
function notNaN(kind: CursorKind): Document {
  return kind.isTime ? {} : { $ne: Number.NaN };
}

function afterReached(column: string, { cursor, id }: Reached): RangeFilter[] {
  if (cursor === null) return [];
  if (column === ID) return rangeFilters({ after: cursor }).slice(0, 1);
  const equal = { [column]: { $eq: bsonValue(cursor), ...NO_ARRAY } };
  return [
    ...rangeFilters({ after: id }).map((range) => and(equal, range)),
    plain({ [column]: { $gt: bsonValue(cursor), ...NO_ARRAY } }),
  ];
}

function withoutCursor({ bracket, isTime }: CursorKind, column: string): Document {
  const conditions = [null, ...without(bracket), ...(isTime ? [] : [Number.NaN])];
  return { $or: conditions.map((condition) => ({ [column]: condition })) };
}

function and(first: Document, { filter, seldom }: RangeFilter): RangeFilter {
  return { filter: Object.keys(filter).length === 0 ? first : { $and: [first, filter] }, seldom };
}

/** Rows of the batch that is being filled, and the position after them. */
class Pending {
  readonly #scan: Scan;
  readonly #state: CursorState;
  readonly #follower: Follower;
  readonly #reader: RowReader;
  #rows: Row[] = [];
  #bytes = 0;

  constructor(scan: Scan, state: CursorState, follower: Follower) {
    this.#scan = scan;
    this.#state = state;
    this.#follower = follower;
    this.#reader = new RowReader(scan.schema);
  }

  *ordered(document: Buffer, { column }: Cursor): Generator<Batch> {
    const cursor = fieldJson(document, column);
    if (cursor === undefined) throw hidden(this.#scan.schema.stream, column);
    if (this.#follower.isNew(document, cursor)) yield* this.#add(document, cursor);
  }

  *other(document: Buffer): Generator<Batch> {
    yield* this.#add(document, null);
  }

  *end(): Generator<Batch> {
    const { request, schema } = this.#scan;
    const after = statePosition({ progress: this.#follower.next });
    const moved = JSON.stringify(after.value) !== JSON.stringify(request.from?.value);
    if (this.#rows.length > 0 || moved) yield { kind: 'rows', schema, rows: this.#rows, after };
  }

  *#add(document: Buffer, cursor: string | null): Generator<Batch> {
    const { request, schema } = this.#scan;
    this.#rows.push(this.#reader.read(document));
    this.#bytes += document.length;
    if (this.#rows.length < request.size.rows && this.#bytes < request.size.bytes) return;
    const { next, horizon } = this.#follower;
    const at = { cursor, id: boundedId(document, schema.stream) };
    const after = statePosition({ progress: this.#state.progress, inside: { at, next, horizon } });
    yield { kind: 'rows', schema, rows: this.#rows, after };
    this.#rows = [];
    this.#bytes = 0;
  }
}

function hidden(stream: string, column: string): Fault {
  return new Fault('config', 'cursor_without_order', `reading ${stream}: ${column} is inside an array in a document`, {
    hint: 'Choose a field of the first level by sync_strategy.timestamp_field or the stream\'s "cursor".',
  });
}
