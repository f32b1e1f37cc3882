import type { Dialect } from '../shared/sql/dialect';
import { bound, sql } from '../shared/sql/fragment';
import { NO_TRANSACTIONS } from '../shared/sql/open-transactions';
import type { SqliteColumn } from './columns';
import { earlier, pastSql } from './times';

/** SQLite's way of saying things. */
export const dialect: Dialect<SqliteColumn> = {
  comparesRows: true,
  first: (query, count) => sql`${query} limit ${String(count)}`,
  async begin(session) {
    await session.query(sql`begin`);
    // The first read is what takes the snapshot.
    await session.query(sql`select count(*) from main.sqlite_master where 1 = 0`);
  },
  async end(session) {
    await session.query(sql`commit`);
  },
  // One writes at a time: what is committed later has later values, unless they were taken before the writer's turn.
  openTransactions: async () => NO_TRANSACTIONS,
  marginMs: 0,
  latest: pastSql,
  earlier(column, { values }, milliseconds) {
    const value = earlier(column, values[0], milliseconds);
    return value === undefined ? undefined : bound(value);
  },
  recordIdNative: 'sqlite/text',
};
