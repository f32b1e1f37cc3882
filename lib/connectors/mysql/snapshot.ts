import { randomUUID } from 'node:crypto';
import { sql } from '../shared/sql/fragment';
import { waitForEnd } from '../shared/sql/open-transactions';
import type { SqlSession, TextRow } from '../shared/sql/session';
import { SessionSnapshot } from '../shared/sql/session-snapshot';
import type { Sessions } from '../shared/sql/sessions';
import type { Snapshot, Snapshots } from '../shared/sql/snapshot';
import { isRefused } from './classify';
import { openTransactions } from './open-transactions';
import type { MysqlColumn } from './types';

type Session = SqlSession<MysqlColumn>;

const ATTEMPTS = 10;
// Rolling back to it gives up the locks that keep tables from being altered, and keeps the snapshot.
const SAVEPOINT = 'explorerio';

/** Snapshots that several sessions share: all of them began between the same two entries of the binary log. */
export class MysqlSnapshots implements Snapshots<MysqlColumn> {
  readonly #sessions: Sessions<MysqlColumn>;
  readonly #readers: number;

  constructor(sessions: Sessions<MysqlColumn>, readers: number) {
    this.#sessions = sessions;
    this.#readers = readers;
  }

  // Earlier snapshot, list of open transactions, later snapshot: whatever could still commit a cursor value up to the
  // newest of the earlier snapshot is in the list, or is visible in the later one.
  async take(signal: AbortSignal): Promise<Snapshot<MysqlColumn>> {
    const opened: Session[] = [];
    try {
      const earlier = await this.#open(signal, opened);
      await begin(earlier);
      const open = await this.#openTransactions(signal);
      const readers = await this.#sharedReaders(signal, opened);
      return new SessionSnapshot({ id: randomUUID(), open, earlier, readers, rest });
    } catch (error) {
      for (const session of opened) session.destroy();
      throw error;
    }
  }

  #openTransactions(signal: AbortSignal) {
    return this.#sessions.use(signal, async (session) => {
      const ask = () => openTransactions(session, this.#sessions.ids);
      const open = await ask();
      return open && waitForEnd(open, async () => (await ask()) ?? open, signal);
    });
  }

  async #open(signal: AbortSignal, opened: Session[]): Promise<Session> {
    const session = await this.#sessions.dedicated(signal);
    opened.push(session);
    await withoutLog(session);
    return session;
  }

  async #sharedReaders(signal: AbortSignal, opened: Session[]): Promise<Session[]> {
    const all = await Promise.all(Array.from({ length: this.#readers }, () => this.#open(signal, opened)));
    let best: Session[] = [];
    for (let attempt = 0; attempt < ATTEMPTS && best.length < all.length; attempt++) {
      best = await beginTogether(all);
    }
    await Promise.all(all.filter((session) => !best.includes(session)).map((session) => session.close()));
    return best;
  }
}

// While a session writes the binary log, MariaDB keeps the locks of tables through a rollback to a savepoint.
async function withoutLog(session: Session): Promise<void> {
  try {
    await session.query(sql`SET SESSION sql_log_bin = 0`);
  } catch (error) {
    if (!isRefused(error)) throw error; // else altering a table that was read waits for the end of the run
  }
}

/** Begins all at about the same time; gives the largest group that sees the same. */
async function beginTogether(sessions: readonly Session[]): Promise<Session[]> {
  const groups = new Map<string, Session[]>();
  const places = await Promise.all(sessions.map(begin));
  for (const [index, session] of sessions.entries()) {
    // Without a place in the log nobody knows what two of them see.
    const place = places[index] ?? `alone ${index}`;
    groups.set(place, [...(groups.get(place) ?? []), session]);
  }
  return [...groups.values()].sort((left, right) => right.length - left.length)[0] ?? [];
}

/** Begins a transaction at the newest state, and tells the place of that in the binary log, where the server knows it. */
async function begin(session: Session): Promise<string | undefined> {
  await session.query(sql`START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY`);
  const rows = await session.query(SNAPSHOT_PLACE);
  await session.query(sql`SAVEPOINT ${SAVEPOINT}`);
  return placeOf(rows);
}

/** Asks where in the binary log the snapshot of the session lies. */
export const SNAPSHOT_PLACE = sql`SHOW STATUS LIKE 'binlog\\_snapshot\\_%'`;

/** The answer to it; `undefined` where there is no log, or the server does not tell. */
export function placeOf(rows: readonly TextRow[]): string | undefined {
  const place = rows.map(([, value]) => value ?? '').join(':');
  return /[^:0]/.test(place) ? place : undefined;
}

async function rest(session: Session): Promise<void> {
  await session.query(sql`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
}
