import { Fault } from '../../../core/fault';
import type { OpenTransactions } from './open-transactions';
import type { SqlColumn, SqlRelation } from './relation';
import type { SqlSession } from './session';
import type { Lease } from './sessions';

/** One moment that full reads see. */
export interface Snapshot<C extends SqlColumn> {
  /** Stands in the parts of a full read. */
  readonly id: string;
  /**
   * Transactions that were open between a slightly earlier moment and this one, and had not ended when this one came.
   * `undefined`: the server does not tell.
   */
  readonly open: OpenTransactions | undefined;
  /** Whether a relation is read as it is, for it cannot be read at this moment: `open` says nothing about it. */
  leavesOut?(relation: SqlRelation<C>): boolean;
  /** Whether nobody can read it any more. */
  readonly ended: boolean;
  /** Whether more can be planned in it; else another is to be taken. */
  readonly complete: boolean;
  /** Runs `work` at the slightly earlier moment; the newest values of cursors are taken from it. */
  atEarlier<T>(signal: AbortSignal, work: (place: ReadPlace<C>) => Promise<T>): Promise<T>;
  /** A session that reads this moment. */
  lease(signal: AbortSignal): Promise<Lease<C> & ReadPlace<C>>;
  close(): Promise<void>;
}

/** A session, and how a relation is named in it. */
export interface ReadPlace<C extends SqlColumn> {
  readonly session: SqlSession<C>;
  /** What stands after FROM: the relation's own source, or that source as of some moment. */
  from(relation: SqlRelation<C>): string;
}

/** How a type of server gives snapshots. */
export interface Snapshots<C extends SqlColumn> {
  take(signal: AbortSignal): Promise<Snapshot<C>>;
  /** A moment of another process, where any process can read it. */
  adopt?(id: string): Snapshot<C>;
}

/** A session that reads whatever its own transaction sees. */
export function asItIs<C extends SqlColumn>(session: SqlSession<C>): ReadPlace<C> {
  return { session, from: (relation) => relation.source };
}

/** Holds the snapshot of a source's full reads, from the first use until it is closed. */
export class SnapshotHolder<C extends SqlColumn> {
  readonly #snapshots: Snapshots<C>;
  readonly #taken = new Map<string, Snapshot<C>>();
  #current: Promise<Snapshot<C>> | undefined;

  constructor(snapshots: Snapshots<C>) {
    this.#snapshots = snapshots;
  }

  /** The snapshot that is held, or a new one where none is or its connections were lost. */
  async current(signal: AbortSignal): Promise<Snapshot<C>> {
    const held = await this.#current;
    if (held && !held.complete) this.#current = undefined;
    this.#current ??= this.#take(signal);
    try {
      return await this.#current;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  /** The snapshot of a part; where it is gone a newer one, if that is allowed. */
  async of(id: string, repairable: boolean, signal: AbortSignal): Promise<Snapshot<C>> {
    const known = this.#taken.get(id) ?? this.#snapshots.adopt?.(id);
    if (known && !known.ended) return known;
    if (!repairable) throw snapshotLost();
    return this.current(signal);
  }

  /** Forgets the current snapshot, so that the next use takes a new one. The old one stays readable. */
  renew(): void {
    this.#current = undefined;
  }

  async close(): Promise<void> {
    const all = [...this.#taken.values()];
    this.#taken.clear();
    this.#current = undefined;
    await Promise.allSettled(all.map((snapshot) => snapshot.close()));
  }

  async #take(signal: AbortSignal): Promise<Snapshot<C>> {
    const snapshot = await this.#snapshots.take(signal);
    for (const [id, former] of this.#taken) {
      if (!former.ended) continue;
      this.#taken.delete(id);
      await former.close();
    }
    this.#taken.set(snapshot.id, snapshot);
    return snapshot;
  }
}

/** The fault for a full read whose snapshot is gone. */
export function snapshotLost(cause?: unknown): Fault {
  return new Fault('lost', 'snapshot_lost', 'the snapshot of this full read ended with the process that held it', {
    hint: 'The full read begins anew by itself.',
    cause,
  });
}
