import { NO_TRANSACTIONS, type OpenTransactions } from '../shared/sql/open-transactions';
import type { Session } from './session';

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
