import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from './session';
import { aborted } from './sessions';

/**
 * The transactions that could still commit something. `ids`: on a primary, by their virtual ids (which they have before
 * they write), and prepared ones by name. `until`: on a standby, which does not know the virtual ids of the primary,
 * the transaction number that all running ones are below.
 */
export interface OpenTransactions {
  readonly ids: readonly string[];
  readonly until?: string;
  /** On a standby: the oldest transaction that ran when this was found. */
  readonly oldest?: string;
}

/** None is open. */
export const NO_TRANSACTIONS: OpenTransactions = { ids: [] };

const WAIT_MS = 250;
const POLL_MS = 20;

/** SQL columns that tell the open transactions but those of `pids`: for any query, as its last columns. */
export function openTransactionsSql(pids: readonly number[]): string {
  // Autovacuum has no user and writes no rows; sessions in other databases cannot write into this one.
  return `pg_is_in_recovery() as standby,
  case when pg_is_in_recovery() then pg_snapshot_xmin(pg_current_snapshot())::text end as xmin,
  case when pg_is_in_recovery() then pg_snapshot_xmax(pg_current_snapshot())::text end as xmax,
  (select coalesce(json_agg(id), '[]') from (
    select l.virtualxid as id from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'virtualxid' and l.granted and not l.pid = any (array[${pids.join(',')}]::int[])
      and (a.pid is null or a.usesysid is not null)
      and (a.datid is null or a.datid = (select oid from pg_database where datname = current_database()))
    union all select 'p' || transaction from pg_prepared_xacts where database = current_database()
  ) open) as open_ids`;
}

type OpenColumns = { readonly [column: string]: string | null };

/** Reads the columns of {@link openTransactionsSql}. */
export function parseOpenTransactions(row: OpenColumns): OpenTransactions {
  const ids = JSON.parse(row.open_ids ?? '[]') as string[];
  if (row.standby !== 't') return { ids };
  const { xmin, xmax } = row;
  return xmin === xmax || !xmin || !xmax ? NO_TRANSACTIONS : { ids: [], until: xmax, oldest: xmin };
}

/** The open transactions right now. */
export async function openTransactions(session: Session, pids: readonly number[]): Promise<OpenTransactions> {
  const [row] = await session.query(`select ${openTransactionsSql(pids)}`);
  return parseOpenTransactions(row ?? {});
}

/** Gives the transactions of `open` a moment to end, as most do; tells which have not. */
export async function waitForEnd(
  session: Session,
  open: OpenTransactions,
  pids: readonly number[],
  signal: AbortSignal,
): Promise<OpenTransactions> {
  const deadline = performance.now() + WAIT_MS;
  let left = open;
  while (!isEmpty(left) && performance.now() < deadline) {
    if (signal.aborted) throw aborted();
    await sleep(POLL_MS);
    left = await stillOpen(session, left, pids);
  }
  return left;
}

/** Which of `open` have not ended yet. */
export async function stillOpen(
  session: Session,
  open: OpenTransactions,
  pids: readonly number[],
): Promise<OpenTransactions> {
  const [row = {}] = await session.query(`select ${openTransactionsSql(pids)}`);
  const now = new Set(parseOpenTransactions(row).ids);
  const ids = open.ids.filter((id) => now.has(id));
  const oldest = row.xmin ?? undefined;
  if (open.until === undefined || oldest === undefined || BigInt(oldest) >= BigInt(open.until)) return { ids };
  return { ids, until: open.until, oldest };
}

/** Whether nothing is open. */
export function isEmpty(open: OpenTransactions): boolean {
  return open.ids.length === 0 && open.until === undefined;
}
