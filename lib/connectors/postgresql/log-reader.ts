import { type Batch, Op, type Row, UNCHANGED, type Value } from '../../core/batch';
import { type FeedPosition, feedPosition } from './feed-position';
import { FeedWindow } from './feed-window';
import type { LoggedShape, LoggedShapes } from './logged-shapes';
import type { Lsn } from './lsn';
import { Kind, MessageReader, Part } from './pgoutput';
import { DATA_HEADER, type ServerMessage } from './replication';

/** What a reader of the log needs beside its messages. */
export interface LogTools {
  readonly shapes: LoggedShapes;
  readonly size: { readonly rows: number; readonly bytes: number };
  /** The row of a key as it is in the table now; `undefined` when it is gone. */
  current(shape: LoggedShape, key: Row): Promise<Row | undefined>;
}

interface Transaction {
  /** Where it is committed. */
  readonly commit: Lsn;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The last change that was read, and how many of its place. */
  change: Lsn;
  seen: number;
  /** Changes up to here were read before. */
  readonly skip: { readonly change: Lsn; readonly seen: number } | undefined;
}

/** Makes batches of the messages of the log, in their order. */
export class LogReader {
  readonly #tools: LogTools;
  readonly #window: FeedWindow;
  /** All transactions that were committed before are read. */
  #read: Lsn;
  #resumed: FeedPosition['within'];
  #transaction: Transaction | undefined;

  constructor(from: FeedPosition, tools: LogTools) {
    this.#tools = tools;
    this.#window = new FeedWindow(from);
    this.#read = from.lsn;
    this.#resumed = from.within;
  }

  /** How far the log was read, and whether that is between transactions. */
  get progress(): { readonly lsn: Lsn; readonly isBetween: boolean } {
    return { lsn: this.#read, isBetween: this.#transaction === undefined };
  }

  /** Takes the next message; gives batches when the window is full. */
  async *take(message: ServerMessage): AsyncGenerator<Batch> {
    if (message.kind === 'keep-alive') {
      this.#sent(message.sent);
      return;
    }
    const reader = new MessageReader(message.bytes, DATA_HEADER);
    const kind = reader.byte();
    if (kind === Kind.Begin) this.#begin(reader);
    else if (kind === Kind.Commit) this.#commit(reader);
    else if (kind === Kind.Relation) await this.#tools.shapes.learn(reader.relation());
    else if (kind === Kind.Truncate) {
      if (this.#isNew(message.at)) yield* this.#truncate(reader);
    } else if (kind === Kind.Insert || kind === Kind.Update || kind === Kind.Delete) {
      if (this.#isNew(message.at)) await this.#change(kind, reader, message.bytes.length);
    }
    const { rows, bytes } = this.#tools.size;
    if (this.#window.rows >= rows || this.#window.bytes >= bytes) yield* this.flush();
  }

  /** What was read and not given yet. */
  *flush(): Generator<Batch> {
    yield* this.#window.end(this.#position(), this.#transaction !== undefined);
  }

  /** What was not given yet; else moves the position on where no change has: the log also grows by what nobody follows. */
  *rest(schema: Batch['schema'] | undefined): Generator<Batch> {
    if (this.hasRows) {
      yield* this.flush();
      return;
    }
    if (schema === undefined) return;
    const before = this.#window.before;
    const after = this.#position();
    if (JSON.stringify(feedPosition(before)) === JSON.stringify(feedPosition(after))) return;
    this.#window.move(after);
    yield { kind: 'rows', schema, after: feedPosition(after), rows: [] };
  }

  get hasRows(): boolean {
    return this.#window.rows > 0;
  }

  /** All that was committed before has come; within a transaction this is a sign of life alone. */
  #sent(lsn: Lsn): void {
    if (this.#transaction || (this.#resumed && lsn <= this.#resumed.commit)) return;
    this.#resumed = undefined;
    this.#read = Math.max(this.#read, lsn);
  }

  #position(): FeedPosition {
    if (this.#transaction === undefined) {
      return { lsn: this.#read, ...(this.#resumed && { within: this.#resumed }) };
    }
    const { commit, change, seen, skip } = this.#transaction;
    const within = change === 0 ? skip && { commit, ...skip } : { commit, change, seen };
    return { lsn: this.#read, ...(within && { within }) };
  }

  #begin(reader: MessageReader): void {
    const commit = reader.lsn();
    const skip = this.#resumed?.commit === commit ? this.#resumed : undefined;
    this.#resumed = undefined;
    this.#transaction = { commit, time: reader.time(), change: 0, seen: 0, skip };
  }

  #commit(reader: MessageReader): void {
    reader.byte();
    reader.lsn();
    this.#read = reader.lsn();
    this.#transaction = undefined;
  }

  /** Counts a change; false for one that was read before. Changes of one place are told apart by their number. */
  #isNew(at: Lsn): boolean {
    const transaction = this.#transaction;
    if (transaction === undefined) return true;
    transaction.seen = transaction.change === at ? transaction.seen + 1 : 1;
    transaction.change = at;
    const { skip } = transaction;
    return !skip || at > skip.change || (at === skip.change && transaction.seen > skip.seen);
  }

  async #change(kind: number, reader: MessageReader, bytes: number): Promise<void> {
    const shape = this.#tools.shapes.of(reader.oid());
    if (shape === undefined) return;
    this.#window.count(bytes, this.#transaction?.time ?? 0);
    if (kind === Kind.Insert) {
      reader.byte();
      this.#window.add(shape.schema, Op.Insert, tuple(reader, shape));
    } else if (kind === Kind.Delete) {
      reader.byte();
      this.#window.add(shape.schema, Op.Delete, tuple(reader, shape));
    } else await this.#update(shape, reader);
  }

  async #update(shape: LoggedShape, reader: MessageReader): Promise<void> {
    const part = reader.byte();
    const old = part === Part.New ? undefined : tuple(reader, shape);
    if (old) reader.byte();
    const row = tuple(reader, shape);
    if (old) fill(row, old, part === Part.Old ? undefined : shape.key);
    if (old === undefined || isSameKey(shape, old, row)) {
      this.#window.add(shape.schema, Op.Update, row);
      return;
    }
    this.#window.add(shape.schema, Op.Delete, old);
    const whole = row.includes(UNCHANGED) ? await this.#tools.current(shape, row) : row;
    // Gone in the meantime: that is in the log, too.
    if (whole) this.#window.add(shape.schema, Op.Insert, whole);
  }

  *#truncate(reader: MessageReader): Generator<Batch> {
    const shapes = reader.truncated().flatMap((oid) => this.#tools.shapes.of(oid) ?? []);
    if (shapes.length === 0) return;
    const before = this.#window.before;
    const after = this.#position();
    yield* this.#window.end(before, true);
    yield* shapes.map(
      ({ schema }, index): Batch => ({
        kind: 'truncate',
        schema,
        after: feedPosition(index === shapes.length - 1 ? after : before),
      }),
    );
    this.#window.move(after);
  }
}

function tuple(reader: MessageReader, shape: LoggedShape): Row {
  return reader.tuple<Value>([...shape.empty], shape.places, shape.readers, UNCHANGED);
}

/** What is known of the old row (all of it, or the cells at `places`) also has large values that an update did not touch. */
function fill(row: Row, old: Row, places: Iterable<number> = row.keys()): void {
  for (const place of places) if (row[place] === UNCHANGED) row[place] = old[place] ?? null;
}

function isSameKey({ key }: LoggedShape, left: Row, right: Row): boolean {
  return key.every((place) => same(left[place], right[place]));
}

function same(left: Value | undefined, right: Value | undefined): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) === 0;
  return left === right;
}
