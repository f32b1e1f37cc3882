import type { Db, Document } from 'mongodb';
import { type Batch, Op } from '../../core/batch';
import type { FeedRequest } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Position } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import { ChangeWindow } from '../shared/change-window';
import { type ChangeEvent, type Changes, ENDS, watch } from './change-stream';
import { raceAbort } from './client';
import { FeedEnd } from './feed-end';
import { newestChange, unsigned } from './feed-head';
import { broken, feedPosition, feedStart, lostPosition, type ResumeToken } from './feed-position';
import { bsonValue } from './id-order';
import { ID } from './identifiers';
import { idOf, RowReader, UNFIT_ID } from './rows';

// A server's answer has at most 16 MB, and is held until its events are rows.
const MOST_EVENTS = 1000;
// Small batches are no reason to ask the server for each of them.
const LEAST_EVENTS = 100;
const HEARTBEAT_MS = 1000;
const WAIT_MS = { following: 1000, ending: 100 } as const;
const OPS: { readonly [operation: string]: number } = {
  insert: Op.Insert,
  replace: Op.Update,
  update: Op.Update,
  delete: Op.Delete,
};

/** Reads the changes of some collections after `request.from`. */
export async function* readChanges(db: Db, request: FeedRequest): AsyncGenerator<Batch> {
  const { from, follow, signal, streams, size } = request;
  const start = feedStart(from);
  const end = follow ? undefined : new FeedEnd((await raceAbort(newestChange(db), signal)).time);
  const events = Math.max(LEAST_EVENTS, Math.min(size.rows, MOST_EVENTS));
  const changes = watch(db, streams, start, { waitMs: follow ? WAIT_MS.following : WAIT_MS.ending, events });
  try {
    yield* new FeedReader(db, request, changes, end).batches();
  } finally {
    await raceAbort(changes.close(), signal);
  }
}

class FeedReader {
  readonly #db: Db;
  readonly #request: FeedRequest;
  readonly #changes: Changes;
  readonly #end: FeedEnd | undefined;
  readonly #window: ChangeWindow;
  readonly #schemas: ReadonlyMap<string, StreamSchema>;
  readonly #readers = new Map<string, RowReader>();
  /** Behind what was taken from the stream; absent before the first answer. */
  #token: ResumeToken | undefined;
  /** The position that was given last. */
  #given: string;
  #givenAt = performance.now();

  constructor(db: Db, request: FeedRequest, changes: Changes, end: FeedEnd | undefined) {
    this.#db = db;
    this.#request = request;
    this.#changes = changes;
    this.#end = end;
    this.#window = new ChangeWindow(request.size, request.from);
    this.#given = JSON.stringify(request.from);
    this.#schemas = new Map(request.streams.map((schema) => [schema.stream, schema]));
  }

  async *batches(): AsyncGenerator<Batch> {
    for (;;) {
      const event = await this.#next();
      if (event && this.#end?.isBefore(unsigned(event.clusterTime))) return yield* this.#last();
      const before = this.#token;
      this.#token = (this.#changes.resumeToken as ResumeToken | null) ?? before;
      if (event) yield* this.#take(event, before);
      else if (this.#token && this.#end?.isReached(this.#token)) return yield* this.#last();
      else yield* this.#pause();
    }
  }

  /** Without a look at the signal where nothing has to be waited for. */
  #next(): Promise<ChangeEvent | null> {
    const next = this.#changes.tryNext();
    return this.#changes.bufferedCount() > 0 ? next : raceAbort(next, this.#request.signal);
  }

  async *#take(event: ChangeEvent, before: ResumeToken | undefined): AsyncGenerator<Batch> {
    const schema = this.#schemas.get(event.ns?.coll ?? '');
    const op = OPS[event.operationType];
    if (op === undefined) return yield* this.#takeOther(event, schema, before);
    if (schema) await this.#addRow(event, schema, op);
    const isDrained = this.#request.follow && this.#changes.bufferedCount() === 0;
    if (this.#window.isFull || isDrained) yield* this.#flush();
  }

  /** What happens to a collection as a whole. */
  *#takeOther(event: ChangeEvent, schema: StreamSchema | undefined, before: ResumeToken | undefined): Generator<Batch> {
    const reason = this.#breakOf(event);
    const isTruncated = schema && (event.operationType === 'drop' || event.operationType === 'rename');
    if (reason === undefined && !isTruncated) return;
    yield* this.#flush(this.#position(before));
    if (reason !== undefined) {
      // The next run finds this position, and reads all anew instead of coming here again.
      yield this.#heartbeat(lostPosition(reason));
      throw broken(reason);
    }
    if (schema) yield { kind: 'truncate', schema, after: this.#give(this.#position()), sourceTime: timeOfEvent(event) };
  }

  /** Why a change ends all that can be known by changes, if it does. */
  #breakOf({ operationType, to }: ChangeEvent): string | undefined {
    if (ENDS.includes(operationType)) return `the database ${this.#db.databaseName} was dropped`;
    return to && this.#schemas.has(to.coll) ? `another collection was renamed to ${to.coll}` : undefined;
  }

  async #addRow(event: ChangeEvent, schema: StreamSchema, op: number): Promise<void> {
    const [document] = event.document;
    const [key] = event.key;
    // Looked up when the change is read: what is gone since then was deleted, which comes as well.
    const bytes = op === Op.Delete ? key : (document ?? key);
    if (!bytes) throw new Fault('bug', 'no_key', `reading changes of ${schema.stream}: a change names no document`);
    const isDelete = op === Op.Delete || !document;
    const row = await this.#row(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), schema, isDelete);
    if (!row) return;
    const at = timeOfEvent(event);
    this.#window.add({ schema, row, op: isDelete ? Op.Delete : op, at });
    this.#window.count(bytes.length);
  }

  async #row(bytes: Buffer, schema: StreamSchema, isDelete: boolean) {
    const reader = this.#readers.get(schema.stream) ?? new RowReader(schema);
    this.#readers.set(schema.stream, reader);
    try {
      return isDelete ? reader.readKey(bytes) : reader.read(bytes);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== UNFIT_ID) throw error;
      // The next discovery makes room for its _id only while it is there.
      if (isDelete || (await this.#isGone(bytes, schema))) return undefined;
      throw error;
    }
  }

  async #isGone(bytes: Buffer, { stream }: StreamSchema): Promise<boolean> {
    const filter: Document = { [ID]: bsonValue(idOf(bytes) ?? 'null') };
    const options = { projection: { [ID]: 1 }, signal: this.#request.signal };
    return (await this.#db.collection(stream).findOne(filter, options)) === null;
  }

  /** The server has nothing at the moment. */
  *#pause(): Generator<Batch> {
    if (this.#request.follow) yield* this.#flush();
    const isDue = this.#window.isEmpty && performance.now() - this.#givenAt >= HEARTBEAT_MS;
    if (isDue) yield* this.#move();
  }

  *#last(): Generator<Batch> {
    if (this.#window.isEmpty) yield* this.#move();
    else yield* this.#flush();
  }

  *#flush(after = this.#position()): Generator<Batch> {
    if (this.#window.isEmpty) return;
    const batches = this.#window.flush(after);
    this.#give(after);
    yield* batches;
  }

  /** Tells the position where only others have changed. */
  *#move(): Generator<Batch> {
    const position = this.#position();
    if (JSON.stringify(position) !== this.#given) yield this.#heartbeat(position);
  }

  #heartbeat(after: Position): Batch {
    const [schema] = this.#request.streams;
    if (schema === undefined) throw new Fault('bug', 'nothing_followed', 'reading changes: of no stream');
    return { kind: 'rows', schema, rows: [], after: this.#give(after) };
  }

  #give(position: Position): Position {
    this.#given = JSON.stringify(position);
    this.#givenAt = performance.now();
    this.#window.moveTo(position);
    return position;
  }

  #position(token = this.#token): Position {
    return token ? feedPosition({ token }) : this.#request.from;
  }
}

function timeOfEvent({ wallTime, clusterTime }: Pick<ChangeEvent, 'wallTime' | 'clusterTime'>): number {
  return wallTime?.getTime() ?? clusterTime.t * 1000;
}
