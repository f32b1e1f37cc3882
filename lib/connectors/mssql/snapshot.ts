import type { Dialect } from '../shared/sql/dialect';
import type { Lease, Sessions } from '../shared/sql/sessions';
import { asItIs, type ReadPlace, type Snapshot, type Snapshots } from '../shared/sql/snapshot';
import type { MssqlColumn } from './types';

const ID = 'each';

/**
 * No moment is shared: SQL Server lets no session read that of another. Each part is read at its own moment where the database
 * allows SNAPSHOT isolation, so nothing dies with a process.
 */
export class OwnMoments implements Snapshots<MssqlColumn> {
  readonly #moments: Snapshot<MssqlColumn>;

  constructor(sessions: Sessions<MssqlColumn>, dialect: Dialect<MssqlColumn>) {
    this.#moments = {
      id: ID,
      open: undefined,
      ended: false,
      complete: true,
      // The newest cursor value is taken before any part begins: what is committed later is read by the first increment.
      atEarlier: (signal, work) => sessions.use(signal, (session) => work(asItIs(session))),
      lease: (signal) => lease(sessions, dialect, signal),
      close: async () => undefined,
    };
  }

  async take(): Promise<Snapshot<MssqlColumn>> {
    return this.#moments;
  }

  adopt(): Snapshot<MssqlColumn> {
    return this.#moments;
  }
}

async function lease(
  sessions: Sessions<MssqlColumn>,
  dialect: Dialect<MssqlColumn>,
  signal: AbortSignal,
): Promise<Lease<MssqlColumn> & ReadPlace<MssqlColumn>> {
  const lent = await sessions.acquire(signal);
  const { session } = lent;
  try {
    await dialect.begin(session);
  } catch (error) {
    lent.release();
    throw error;
  }
  let finished = false;
  return {
    ...asItIs(session),
    finished: () => {
      finished = true;
    },
    release: () => void (finished ? ending(lent, dialect) : lent.release()),
  };
}

/** Gives a connection back when its transaction has ended. */
async function ending(lent: Lease<MssqlColumn>, dialect: Dialect<MssqlColumn>): Promise<void> {
  try {
    await dialect.end(lent.session);
    lent.finished();
  } catch {
    // it is dropped: whoever is next gets another
  } finally {
    lent.release();
  }
}
