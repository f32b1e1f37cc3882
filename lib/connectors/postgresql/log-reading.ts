import type { Batch } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { CopyBoth } from './copy-both';
import type { LogReader } from './log-reader';
import type { Lsn } from './lsn';
import { sendStatus, serverMessage } from './replication';

/** How long to wait for a message before what was read is given, and the server is asked how far it is. */
const IDLE_MS = 50;
/** The server ends the connection of a reader that says nothing for `wal_sender_timeout`, a minute by default. */
const STATUS_MS = 5000;
const FINISH_MS = 2000;
/** How often the position of a reader moves on that follows and finds nothing. */
const HEARTBEAT_MS = 10_000;

/** Where a reading ends, and what its heartbeats are called after. */
export interface ReadingBounds {
  /** Absent: it follows until somebody leaves. */
  readonly end: Lsn | undefined;
  readonly schema: Batch['schema'] | undefined;
}

/** One reading of the log, from `START_REPLICATION` to its end. */
export class LogReading {
  readonly #copy: CopyBoth;
  readonly #reader: LogReader;
  readonly #bounds: ReadingBounds;
  /** Up to where the server may forget its log; zero tells it nothing. */
  #stored: Lsn = 0;
  #given = performance.now();

  constructor(copy: CopyBoth, reader: LogReader, bounds: ReadingBounds) {
    this.#copy = copy;
    this.#reader = reader;
    this.#bounds = bounds;
  }

  /** Lets the server forget its log up to here. */
  store(lsn: Lsn): void {
    this.#stored = Math.max(this.#stored, lsn);
    this.#report(false);
  }

  async *batches(): AsyncGenerator<Batch> {
    const timer = setInterval(() => this.#report(false), STATUS_MS);
    try {
      while (!this.#isAtEnd) {
        const messages = await this.#copy.take(IDLE_MS);
        if (messages === undefined) throw ended();
        if (messages.length === 0) yield* this.#idle();
        else yield* this.#take(messages);
      }
      yield* this.#reader.rest(this.#bounds.schema);
    } finally {
      clearInterval(timer);
    }
  }

  /** Takes leave of the server; gives whether it has agreed. */
  async finish(): Promise<boolean> {
    this.#report(false);
    return this.#copy.finish(FINISH_MS);
  }

  async *#take(messages: readonly Buffer[]): AsyncGenerator<Batch> {
    for (const bytes of messages) {
      const message = serverMessage(bytes);
      const waiting = message && this.#reader.take(message);
      if (waiting) await waiting;
      if (this.#reader.hasBatches) yield* this.#reader.batches();
      if (this.#isAtEnd) return;
    }
    this.#given = performance.now();
  }

  *#idle(): Generator<Batch> {
    const { end, schema } = this.#bounds;
    if (end !== undefined) this.#report(true);
    if (!this.#reader.progress.isBetween) return;
    const isQuiet = end === undefined && performance.now() - this.#given >= HEARTBEAT_MS;
    if (isQuiet) this.#given = performance.now();
    if (isQuiet || this.#reader.hasRows) yield* this.#reader.rest(schema);
  }

  get #isAtEnd(): boolean {
    const { end } = this.#bounds;
    const { lsn, isBetween } = this.#reader.progress;
    return end !== undefined && isBetween && lsn >= end;
  }

  #report(wantsAnswer: boolean): void {
    sendStatus(this.#copy, { read: this.#reader.progress.lsn, stored: this.#stored, wantsAnswer });
  }
}

function ended(): Fault {
  return new Fault('transient', 'replication_ended', 'the server has ended the replication', {
    hint: 'It is tried again by itself; if it stays, look at the log of the server.',
  });
}
