import { durationMs } from '../../core/duration';
import type { Dialect } from '../shared/sql/dialect';
import { sql } from '../shared/sql/fragment';
import type { MssqlConfig } from './config';
import { seesOneMoment } from './session';
import type { MssqlColumn } from './types';

const DEFAULT_MARGIN = '1m';
const SELECT = 'select ';
// A time without a zone may be of any zone; the first of them are 14 hours ahead.
const LOCAL_LATEST = 'dateadd(hour, 14, sysutcdatetime())';
const LATEST: { readonly [clock: string]: string } = {
  // What is below the least of all open transactions has been committed, or never will be.
  rowversion: 'convert(binary(8), convert(bigint, min_active_rowversion()) - 1)',
  datetimeoffset: 'sysdatetimeoffset()',
  datetime2: LOCAL_LATEST,
  date: `convert(date, ${LOCAL_LATEST})`,
};

/** The way of SQL Server to say things. */
export function dialectOf(config: Pick<MssqlConfig, 'late_commit_margin'>): Dialect<MssqlColumn> {
  return {
    comparesRows: false,
    first: ({ text, values }, count) => ({ text: `select top (${count}) ${text.slice(SELECT.length)}`, values }),
    begin: async (session) => {
      const isolation = seesOneMoment(session) ? 'SNAPSHOT' : 'READ COMMITTED';
      await session.query(sql`SET TRANSACTION ISOLATION LEVEL ${isolation}`);
      await session.query(sql`BEGIN TRANSACTION`);
    },
    end: async (session) => {
      await session.query(sql`COMMIT TRANSACTION`);
      await session.query(sql`SET TRANSACTION ISOLATION LEVEL READ COMMITTED`);
    },
    // A rowversion needs none; for times the margin stands in.
    openTransactions: async () => undefined,
    marginMs: durationMs(config.late_commit_margin ?? DEFAULT_MARGIN),
    latest: ({ clock }) => (clock === undefined ? undefined : LATEST[clock]),
    earlier: ({ clock }, value, milliseconds) =>
      clock === undefined || clock === 'rowversion'
        ? undefined
        : sql`dateadd(second, ${String(-Math.ceil(milliseconds / 1000))}, convert(${clock === 'datetimeoffset' ? 'datetimeoffset(7)' : 'datetime2(7)'}, ${value}))`,
    recordIdNative: 'mssql/nvarchar(64)',
  };
}
