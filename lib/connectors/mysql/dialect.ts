import { durationMs } from '../../core/duration';
import type { Dialect } from '../shared/sql/dialect';
import { sql } from '../shared/sql/fragment';
import type { MysqlConfig } from './config';
import { sampledBounds } from './key-bounds';
import { openTransactions } from './open-transactions';
import type { MysqlColumn } from './types';

const DEFAULT_MARGIN = '1m';
const MICROSECONDS = 1000;
// A time without a zone may be of any zone; the first of them are 14 hours ahead.
const LOCAL_LATEST = 'utc_timestamp(6) + interval 14 hour';
const LATEST: { readonly [type: string]: string } = {
  timestamptz: 'now(6)',
  timestamp: LOCAL_LATEST,
  date: `date(${LOCAL_LATEST})`,
};

/** MySQL's and MariaDB's way of saying things. */
export function dialectOf(config: Pick<MysqlConfig, 'late_commit_margin'>): Dialect<MysqlColumn> {
  return {
    // Known, but no index is used for it.
    comparesRows: false,
    first: (query, count) => sql`${query} limit ${String(count)}`,
    begin: async (session) => {
      await session.query(sql`START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY`);
    },
    end: async (session) => {
      await session.query(sql`COMMIT`);
    },
    openTransactions,
    marginMs: durationMs(config.late_commit_margin ?? DEFAULT_MARGIN),
    latest: ({ clock }) => (clock === undefined ? undefined : LATEST[clock]),
    earlier: ({ clock }, value, milliseconds) =>
      clock === undefined
        ? undefined
        : sql`cast(${value} as datetime(6)) - interval ${String(milliseconds * MICROSECONDS)} microsecond`,
    sampledBounds,
    recordIdNative: 'mysql/text',
  };
}
