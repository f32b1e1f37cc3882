import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../shared/sql/fragment';
import { NO_TRANSACTIONS } from '../shared/sql/open-transactions';
import type { SqlSession } from '../shared/sql/session';
import { SessionSnapshot } from '../shared/sql/session-snapshot';
import type { Sessions } from '../shared/sql/sessions';
import type { Snapshot, Snapshots } from '../shared/sql/snapshot';
import type { SqliteColumn } from './columns';
import { dialect } from './dialect';

type Session = SqlSession<SqliteColumn>;

const ATTEMPTS = 50;
const APART_MS = 5;

/** Snapshots that several connections share: all of them began while nobody wrote. */
export class SqliteSnapshots implements Snapshots<SqliteColumn> {
  readonly #sessions: Sessions<SqliteColumn>;
  readonly #readers: number;

  constructor(sessions: Sessions<SqliteColumn>, readers: number) {
    this.#sessions = sessions;
    this.#readers = readers;
  }

  async take(signal: AbortSignal): Promise<Snapshot<SqliteColumn>> {
    const opened: Session[] = [];
    const open = async (): Promise<Session> => {
      const session = await this.#sessions.dedicated(signal);
      opened.push(session);
      return session;
    };
    try {
      const watching = await open();
      const earlier = await open();
      const readers: Session[] = [];
      while (readers.length < this.#readers) readers.push(await open());
      const together = await beginTogether(watching, earlier, readers);
      for (const session of [watching, ...readers.filter((one) => !together.includes(one))]) await session.close();
      return new SessionSnapshot({ id: randomUUID(), open: NO_TRANSACTIONS, earlier, readers: together, rest });
    } catch (error) {
      for (const session of opened) session.destroy();
      throw error;
    }
  }
}

/** Begins all while no other connection commits. Where one does all the time, only the first reader is used. */
async function beginTogether(watching: Session, earlier: Session, readers: readonly Session[]): Promise<Session[]> {
  for (let attempt = 1; ; attempt++) {
    const before = await versionOf(watching);
    const used = attempt < ATTEMPTS ? [...readers] : readers.slice(0, 1);
    for (const session of [earlier, ...used]) await dialect.begin(session);
    if (attempt >= ATTEMPTS || (await versionOf(watching)) === before) return used;
    for (const session of [earlier, ...used]) await dialect.end(session);
    await sleep(APART_MS);
  }
}

/** Another number after each commit of another connection. */
async function versionOf(session: Session): Promise<string> {
  const [[version] = []] = await session.query(sql`pragma data_version`);
  return version ?? '';
}

// A reader holds nothing beside its snapshot.
const rest = (): Promise<void> => Promise.resolve();
