import { type Batch, Op, type Row, UNCHANGED, type Value } from '../../core/batch';
import type { Position } from '../../core/position';
import { ChangeWindow } from '../shared/change-window';
import { type FeedPosition, feedPosition } from './feed-position';
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
  readonly #window: ChangeWindow;
  /** All transactions that were committed before are read. */
  #read: Lsn;
  #resumed: FeedPosition['within'];
  #transaction: Transaction | undefined;
  readonly #ready: Batch[] = [];

  constructor(from: FeedPosition, tools: LogTools) {
    this.#tools = tools;
    this.#window = new ChangeWindow(tools.size, feedPosition(from));
    this.#read = from.lsn;
    this.#resumed = from.within;
  }

  /** How far the log was read, and whether that is between transactions. */
  get progress(): { readonly lsn: Lsn; readonly isBetween: boolean } {
    return { lsn: this.#read, isBetween: this.#transaction === undefined };
  }

  /** Takes the next message. What has to be waited for is rare: there is no promise for each row. */
  take(message: ServerMessage): Promise<void> | undefined {
    if (message.kind === 'keep-alive') {
      this.#sent(message.sent);
      return undefined;
    }
    const reader = new MessageReader(message.bytes, DATA_HEADER);
    const kind = reader.byte();
    switch (kind) {
      case Kind.Begin:
        this.#begin(reader);
        break;
      case Kind.Commit:
        this.#commit(reader);
        break;
      case Kind.Relation:
        return this.#tools.shapes.learn(reader.relation());
      case Kind.Insert:
      case Kind.Update:
      case Kind.Delete:
        return this.#isNew(message.at) ? this.#change(kind, reader) : undefined;
      case Kind.Truncate:
        if (this.#isNew(message.at)) this.#truncate(reader);
    }
    return undefined;
  }

  get hasBatches(): boolean {
    return this.#window.isFull || this.#ready.length > 0;
  }

  /** The batches that are ready. */
  batches(): readonly Batch[] {
    if (this.#window.isFull) this.#ready.push(...this.#flush());
    return this.#ready.splice(0);
  }

  #flush(): Batch[] {
    return this.#window.flush(this.#position(), this.#transaction !== undefined);
  }

  /** What was not given yet; else moves the position on where no change has: the log also grows by what nobody follows. */
  *rest(schema: Batch['schema'] | undefined): Generator<Batch> {
    if (this.hasRows) {
      yield* this.#flush();
      return;
    }
    const after = this.#position();
    if (schema === undefined || JSON.stringify(this.#window.before) === JSON.stringify(after)) return;
    this.#window.moveTo(after);
    yield { kind: 'rows', schema, after, rows: [] };
  }

  get hasRows(): boolean {
    return !this.#window.isEmpty;
  }

  /** All that was committed before has come; within a transaction this is a sign of life alone. */
  #sent(lsn: Lsn): void {
    if (this.#transaction || (this.#resumed && lsn <= this.#resumed.commit)) return;
    this.#resumed = undefined;
    this.#read = Math.max(this.#read, lsn);
  }

  #position(): Position {
    const within = this.#transaction ? withinOf(this.#transaction) : this.#resumed;
    return feedPosition({ lsn: this.#read, ...(within && { within }) });
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

  #change(kind: number, reader: MessageReader): Promise<void> | undefined {
    const shape = this.#tools.shapes.of(reader.oid());
    if (shape === undefined) return undefined;
    this.#window.count(reader.bytes.length);
    if (kind === Kind.Update) return this.#update(shape, reader);
    reader.byte();
    this.#add(shape, kind === Kind.Insert ? Op.Insert : Op.Delete, tuple(reader, shape));
    return undefined;
  }

  #add({ schema }: LoggedShape, op: number, row: Row): void {
    this.#window.add({ schema, op, row, at: this.#transaction?.time ?? 0 });
  }

  #update(shape: LoggedShape, reader: MessageReader): Promise<void> | undefined {
    const part = reader.byte();
    const old = part === Part.New ? undefined : tuple(reader, shape);
    if (old) reader.byte();
    const row = tuple(reader, shape);
    if (old) fill(row, old, part === Part.Old ? undefined : shape.key);
    if (old === undefined || isSameKey(shape, old, row)) {
      this.#add(shape, Op.Update, row);
      return undefined;
    }
    this.#add(shape, Op.Delete, old);
    if (row.includes(UNCHANGED)) return this.#addCurrent(shape, row);
    this.#add(shape, Op.Insert, row);
    return undefined;
  }

  async #addCurrent(shape: LoggedShape, row: Row): Promise<void> {
    const whole = await this.#tools.current(shape, row);
    // Gone in the meantime: that is in the log, too.
    if (whole) this.#add(shape, Op.Insert, whole);
  }

  #truncate(reader: MessageReader): void {
    const shapes = reader.truncated().flatMap((oid) => this.#tools.shapes.of(oid) ?? []);
    if (shapes.length === 0) return;
    const before = this.#window.before;
    const after = this.#position();
    this.#ready.push(...this.#window.flush(before, true));
    for (const [index, { schema }] of shapes.entries()) {
      this.#ready.push({ kind: 'truncate', schema, after: index === shapes.length - 1 ? after : before });
    }
    this.#window.moveTo(after);
  }
}

function withinOf({ commit, change, seen, skip }: Transaction): FeedPosition['within'] {
  return change === 0 ? skip && { commit, ...skip } : { commit, change, seen };
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
