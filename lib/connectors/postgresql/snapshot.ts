import { Fault } from '../../core/fault';
import { type OpenTransactions, waitForEnd } from '../shared/sql/open-transactions';
import { quoteLiteral } from './identifiers';
import { openTransactions } from './open-transactions';
import type { Session } from './session';
import type { Sessions } from './sessions';

/** One point in time that any number of connections can read, as long as its holders live. */
export interface Snapshot {
  /** What is read. */
  readonly id: string;
  /** A slightly earlier one; the newest cursor values are taken from it. */
  readonly earlierId: string;
  /** Transactions that were open between the two and had not ended when the later one was taken. */
  readonly open: OpenTransactions;
}

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
// 22023 up to PostgreSQL 16, 42704 since, 55000 when its transaction has just ended.
const GONE = new Set(['22023', '42704', '55000']);

/** Holds the snapshot of a source's full reads, from the first use until it is closed. */
export class SnapshotHolder {
  readonly #sessions: Sessions;
  #holders: Session[] = [];
  #current: Promise<Snapshot> | undefined;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** The snapshot that is held, or a new one where none is or its connection was lost. */
  async current(signal: AbortSignal): Promise<Snapshot> {
    if (this.#holders.some((holder) => holder.closed)) await this.close();
    this.#current ??= this.#take(signal);
    try {
      return await this.#current;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Forgets the current snapshot, so that the next use takes a new one. The old one stays readable. */
  renew(): void {
    this.#current = undefined;
  }

  async close(): Promise<void> {
    this.#current = undefined;
    await Promise.allSettled(this.#holders.splice(0).map((holder) => holder.close()));
  }

  // Earlier snapshot, list of open transactions, later snapshot: whatever could still commit a cursor value up to the
  // newest of the earlier snapshot is in the list, or is visible in the later one.
  async #take(signal: AbortSignal): Promise<Snapshot> {
    const [earlier, later] = await Promise.all([this.#hold(signal), this.#hold(signal)]);
    const earlierId = await exportSnapshot(earlier);
    const ask = () => openTransactions(later, this.#sessions.pids);
    const open = await waitForEnd(await ask(), ask, signal);
    return { id: await exportSnapshot(later), earlierId, open };
  }

  async #hold(signal: AbortSignal): Promise<Session> {
    const session = await this.#sessions.dedicated(signal);
    this.#holders.push(session);
    return session;
  }
}

async function exportSnapshot(session: Session): Promise<string> {
  const [row] = await session.query(`${BEGIN}; SELECT pg_export_snapshot() AS id`);
  return row?.id ?? '';
}

/** Begins a transaction that sees the newest state, once `locks` are held. */
export async function beginFresh(session: Session, locks: readonly string[] = []): Promise<void> {
  await session.query([BEGIN, ...locks].join(';'));
}

/**
 * Begins a transaction that sees the snapshot. Where it is gone: a newer one (of `replacement`) if that is allowed, else a
 * `lost` fault.
 */
export async function beginAt(session: Session, id: string, replacement?: () => Promise<Snapshot>): Promise<void> {
  try {
    await session.query(`${BEGIN}; SET TRANSACTION SNAPSHOT ${quoteLiteral(id)}`);
  } catch (error) {
    if (!GONE.has(String((error as { code?: unknown }).code))) throw error;
    await session.query('ROLLBACK');
    if (!replacement) throw snapshotLost(error);
    const { id: newer } = await replacement();
    await session.query(`${BEGIN}; SET TRANSACTION SNAPSHOT ${quoteLiteral(newer)}`);
  }
}

/** The fault for a full read whose snapshot is gone. */
export function snapshotLost(cause?: unknown): Fault {
  return new Fault('lost', 'snapshot_lost', 'the snapshot of this full read ended with the process that held it', {
    hint: 'The full read begins anew by itself.',
    cause,
  });
}

/** Ends a transaction. */
export async function commit(session: Session): Promise<void> {
  await session.query('COMMIT');
}
