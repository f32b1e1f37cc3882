import { sql } from '../shared/sql/fragment';
import { NO_TRANSACTIONS, type OpenTransactions } from '../shared/sql/open-transactions';
import type { SqlSession } from '../shared/sql/session';
import { isRefused } from './classify';
import type { OracleColumn } from './types';

type Session = SqlSession<OracleColumn>;

// INSERT, UPDATE, DELETE, MERGE, CALL and PL/SQL: a statement has its time before its transaction is listed. A block of PL/SQL
// runs many statements, so there a session counts as one for as long as it is busy.
const STATEMENTS = sql`select 'q' || s.inst_id || '-' || s.sid || '-' || s.serial# || '-' ||
    case when s.command in (47, 170) then null else s.sql_exec_id end
  from gv$session s where s.type = 'USER' and s.status = 'ACTIVE' and s.command in (2, 6, 7, 189, 47, 170)`;
const TRANSACTIONS = sql`select 't' || t.inst_id || '-' || t.xidusn || '-' || t.xidslot || '-' || t.xidsqn
  from gv$transaction t`;

/** Who may still commit something: a statement that writes, or a transaction between two of them. Our own sessions only read. */
export async function openTransactions(session: Session): Promise<OpenTransactions | undefined> {
  try {
    // Statements first: what has ended when the transactions are listed is seen by whoever looks after that.
    const statements = await session.query(STATEMENTS);
    const transactions = await session.query(TRANSACTIONS);
    const ids = [...statements, ...transactions].map(([id]) => id ?? '');
    return ids.length === 0 ? NO_TRANSACTIONS : { ids };
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw error;
  }
}
