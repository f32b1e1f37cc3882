import { lend } from '../pool';
import { Slots } from '../slots';
import type { OpenTransactions } from './open-transactions';
import type { SqlColumn } from './relation';
import type { SqlSession } from './session';
import type { Lease } from './sessions';
import { asItIs, type ReadPlace, type Snapshot, snapshotLost } from './snapshot';

/** What a snapshot is made of: sessions whose transactions, already begun, see one moment. */
export interface SnapshotParts<C extends SqlColumn> {
  readonly id: string;
  readonly open: OpenTransactions | undefined;
  /** Sees the slightly earlier moment. */
  readonly earlier: SqlSession<C>;
  readonly readers: readonly SqlSession<C>[];
  /** Undoes what a reader holds beside its snapshot, such as locks of tables. */
  rest(session: SqlSession<C>): Promise<void>;
}

/** A snapshot of a server where each reader has to have begun at that moment. Its sessions are lent, and never replaced. */
export class SessionSnapshot<C extends SqlColumn> implements Snapshot<C> {
  readonly #parts: SnapshotParts<C>;
  readonly #idle: SqlSession<C>[];
  readonly #slots: Slots;
  readonly #earlierSlot = new Slots(1);

  constructor(parts: SnapshotParts<C>) {
    this.#parts = parts;
    this.#idle = [...parts.readers];
    this.#slots = new Slots(parts.readers.length);
  }

  get id() {
    return this.#parts.id;
  }

  get open() {
    return this.#parts.open;
  }

  get ended() {
    return this.#parts.readers.every((session) => session.closed);
  }

  get complete() {
    return !this.ended && !this.#parts.earlier.closed;
  }

  async atEarlier<T>(signal: AbortSignal, work: (place: ReadPlace<C>) => Promise<T>): Promise<T> {
    const { earlier } = this.#parts;
    await this.#earlierSlot.take(signal);
    const lease = lend(earlier, signal, (atRest) => {
      if (!atRest) earlier.destroy();
      this.#earlierSlot.give();
    });
    try {
      const result = await work(asItIs(earlier));
      await this.#parts.rest(earlier);
      lease.finished();
      return result;
    } finally {
      lease.release();
    }
  }

  async lease(signal: AbortSignal): Promise<Lease<C> & ReadPlace<C>> {
    await this.#slots.take(signal);
    const session = this.#takeIdle();
    if (session === undefined) {
      this.#slots.give();
      throw snapshotLost();
    }
    return { ...lend(session, signal, (atRest) => void this.#back(session, atRest)), ...asItIs(session) };
  }

  async close(): Promise<void> {
    const { earlier, readers } = this.#parts;
    const idle = new Set([earlier, ...this.#idle.splice(0)]);
    const ends = [earlier, ...readers].map(async (session) =>
      idle.has(session) ? session.close() : session.destroy(),
    );
    await Promise.allSettled(ends);
  }

  #takeIdle(): SqlSession<C> | undefined {
    for (let session = this.#idle.shift(); session; session = this.#idle.shift()) if (!session.closed) return session;
    return undefined;
  }

  // A reader may have left early; the session still has its snapshot when the statement has been ended.
  async #back(session: SqlSession<C>, atRest: boolean): Promise<void> {
    try {
      if (!atRest && !session.closed) await session.cancel();
      if (!session.closed) await this.#parts.rest(session);
    } catch {
      session.destroy(); // it is not at rest; whoever wants it finds it gone
    }
    if (session.closed) return this.#lose();
    this.#idle.push(session);
    this.#slots.give();
  }

  // One slot less, but for the last: those who wait are to be told that all is gone.
  #lose(): void {
    if (this.ended) this.#slots.giveAll();
  }
}
