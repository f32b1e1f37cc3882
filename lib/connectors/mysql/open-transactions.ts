import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../shared/sql/fragment';
import { NO_TRANSACTIONS, type OpenTransactions } from '../shared/sql/open-transactions';
import type { SqlSession, TextRow } from '../shared/sql/session';
import { isRefused } from './classify';
import { isMariadb } from './session';
import type { MysqlColumn } from './types';

type Session = SqlSession<MysqlColumn>;

// The server keeps the list of transactions until nobody has looked at it for 100 ms.
const FRESH_AFTER_MS = 110;
const ATTEMPTS = 10;
const IDLE = new Set(['Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID']);

/** Who may still commit something: a statement that runs, or a transaction between two of them. */
export async function openTransactions(
  session: Session,
  own: readonly string[],
): Promise<OpenTransactions | undefined> {
  const ours = new Set(own);
  try {
    // Statements first: what has ended when the transactions are listed is seen by whoever looks after that.
    const statements = await runningStatements(session, ours);
    // Without the right to see others, this is refused, and the statements were only our own.
    const transactions = statements && (await startedTransactions(session, ours));
    if (statements === undefined || transactions === undefined) return undefined;
    const ids = [...statements, ...transactions];
    return ids.length === 0 ? NO_TRANSACTIONS : { ids };
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw error;
  }
}

/** `undefined` where another server's transactions arrive: those that count run there. */
async function runningStatements(session: Session, ours: ReadonlySet<string>): Promise<string[] | undefined> {
  // MySQL has no number of the statement: there a connection counts as open for as long as it is busy.
  const number = isMariadb(session) ? 'query_id' : '0';
  const rows = await session.query(sql`select id, user, command, ${number} from information_schema.processlist`);
  const ids: string[] = [];
  for (const [id, user, command, statement] of rows) {
    if (IDLE.has(command ?? '') || ours.has(id ?? '')) continue;
    if (user === 'system user') return undefined;
    ids.push(`q${id}-${statement}`);
  }
  return ids;
}

/** Whether the user sees the statements and transactions of others. */
export async function mayProcess(session: Session): Promise<boolean> {
  try {
    await session.query(sql`select 1 from information_schema.innodb_trx limit 1`);
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}

/** The transactions after now: the list is new when our own transaction is in it with this very statement. */
async function startedTransactions(session: Session, ours: ReadonlySet<string>): Promise<string[] | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(FRESH_AFTER_MS);
    const mark = randomUUID();
    await session.query(sql`START TRANSACTION WITH CONSISTENT SNAPSHOT`);
    const rows = await session.query(sql`select /* ${mark} */ trx_mysql_thread_id, trx_started, trx_query
      from information_schema.innodb_trx`);
    await session.query(sql`COMMIT`);
    if (isFresh(rows, session.id, mark)) return rows.filter(([id]) => !ours.has(id ?? '')).map(transactionId);
  }
  return undefined;
}

function isFresh(rows: readonly TextRow[], id: string, mark: string): boolean {
  return rows.some(([thread, , query]) => thread === id && query?.includes(mark));
}

// Its number changes when it writes for the first time.
function transactionId([thread, started]: TextRow): string {
  return `t${thread}-${started}`;
}
