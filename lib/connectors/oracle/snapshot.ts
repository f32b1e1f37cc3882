import { sql } from '../shared/sql/fragment';
import { type OpenTransactions, waitForEnd } from '../shared/sql/open-transactions';
import type { SqlRelation } from '../shared/sql/relation';
import type { SqlSession } from '../shared/sql/session';
import type { Lease, Sessions } from '../shared/sql/sessions';
import type { ReadPlace, Snapshot, Snapshots } from '../shared/sql/snapshot';
import { isRefused } from './classify';
import { AS_OF, MomentSession } from './moment-session';
import { openTransactions } from './open-transactions';
import type { OracleRelation } from './relation';
import type { OracleSession } from './session';
import type { OracleColumn } from './types';

type Session = SqlSession<OracleColumn>;

const EACH = 'each';
const SCN = /^\d+$/;
// Whichever the user may ask; a moment that is only about now would let commits slip between it and the list of transactions.
const NOW = [sql`select dbms_flashback.get_system_change_number from dual`, sql`select current_scn from v$database`];

/**
 * Moments by their number (SCN), which any process reads for as long as the server has what was changed since. Where no number
 * is to be had, each statement sees its own moment.
 */
export class Moments implements Snapshots<OracleColumn> {
  readonly #sessions: Sessions<OracleColumn>;
  /** Those of other processes, so that one that has ended stays so. */
  readonly #adopted = new Map<string, Moment>();

  constructor(sessions: Sessions<OracleColumn>) {
    this.#sessions = sessions;
  }

  // Earlier moment, list of open transactions, later moment: whatever could still commit a cursor value up to the newest of
  // the earlier moment is in the list, or is visible at the later one.
  async take(signal: AbortSignal): Promise<Snapshot<OracleColumn>> {
    return this.#sessions.use(signal, async (session) => {
      const earlier = await currentScn(session);
      if (earlier === undefined) return new Moment(this.#sessions, {});
      const ask = () => openTransactions(session);
      const open = await ask();
      const left = open && (await waitForEnd(open, async () => (await ask()) ?? open, signal));
      const scn = await currentScn(session);
      return new Moment(this.#sessions, { earlier, ...(scn !== undefined && { scn }), ...(left && { open: left }) });
    });
  }

  adopt(id: string): Snapshot<OracleColumn> {
    const known = this.#adopted.get(id) ?? new Moment(this.#sessions, SCN.test(id) ? { earlier: id, scn: id } : {});
    this.#adopted.set(id, known);
    return known;
  }
}

/** The number of the present moment, where the user may ask for it. */
export async function currentScn(session: Session): Promise<string | undefined> {
  for (const question of NOW) {
    try {
      const [[scn] = []] = await session.query(question);
      if (scn != null && SCN.test(scn)) return scn;
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
  return undefined;
}

interface MomentParts {
  readonly earlier?: string;
  readonly scn?: string;
  readonly open?: OpenTransactions;
}

class Moment implements Snapshot<OracleColumn> {
  readonly id: string;
  readonly open: OpenTransactions | undefined;
  ended = false;
  readonly #sessions: Sessions<OracleColumn>;
  readonly #parts: MomentParts;

  constructor(sessions: Sessions<OracleColumn>, parts: MomentParts) {
    this.id = parts.scn ?? EACH;
    this.open = parts.open;
    this.#sessions = sessions;
    this.#parts = parts;
  }

  get complete() {
    return !this.ended;
  }

  leavesOut(relation: SqlRelation<OracleColumn>): boolean {
    return this.#parts.scn === undefined || !flashesBack(relation);
  }

  atEarlier<T>(signal: AbortSignal, work: (place: ReadPlace<OracleColumn>) => Promise<T>): Promise<T> {
    return this.#sessions.use(signal, (session) => work(this.#place(session, this.#parts.earlier)));
  }

  async lease(signal: AbortSignal): Promise<Lease<OracleColumn> & ReadPlace<OracleColumn>> {
    const lent = await this.#sessions.acquire(signal);
    return { ...lent, ...this.#place(lent.session, this.#parts.scn) };
  }

  async close(): Promise<void> {
    this.ended = true;
  }

  #place(session: Session, scn: string | undefined): ReadPlace<OracleColumn> {
    const gone = () => {
      this.ended = true;
    };
    return {
      // Every session of this connector is such.
      session: new MomentSession(session as OracleSession, gone),
      from: (relation) => (scn !== undefined && flashesBack(relation) ? asOf(relation, scn) : relation.source),
    };
  }
}

// All relations of this connector are such.
function flashesBack(relation: SqlRelation<OracleColumn>): boolean {
  return (relation as OracleRelation).flashesBack;
}

function asOf(relation: SqlRelation<OracleColumn>, scn: string): string {
  return `${(relation as OracleRelation).name}${AS_OF}${scn} t`;
}
