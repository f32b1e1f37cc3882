import { durationMs } from '../../core/duration';
import type { Dialect } from '../shared/sql/dialect';
import { sql } from '../shared/sql/fragment';
import { type SqlRelation, textOf } from '../shared/sql/relation';
import type { SqlSession } from '../shared/sql/session';
import type { OracleConfig } from './config';
import { openTransactions } from './open-transactions';
import type { OracleRelation } from './relation';
import type { Clock, OracleColumn } from './types';

const DEFAULT_MARGIN = '1m';
// A time without a zone may be of any zone; the first of them are 14 hours ahead.
const LOCAL_LATEST = `sys_extract_utc(systimestamp) + interval '14' hour`;
const LATEST: { readonly [clock in Clock]: string } = {
  zoned: 'systimestamp',
  timestamp: LOCAL_LATEST,
  date: `cast(${LOCAL_LATEST} as date)`,
};
const ROWS_PER_PART = 500;
const LEAST_PERCENT = 0.000001;
const LONGEST_BOUND = 1000;

/** The way of Oracle to say things. */
export function dialectOf(config: Pick<OracleConfig, 'late_commit_margin'>): Dialect<OracleColumn> {
  return {
    comparesRows: false,
    first: (query, count) => sql`${query} fetch first ${String(count)} rows only`,
    begin: async (session) => {
      await session.query(sql`set transaction read only`);
    },
    end: async (session) => {
      await session.query(sql`commit`);
    },
    openTransactions,
    marginMs: durationMs(config.late_commit_margin ?? DEFAULT_MARGIN),
    latest: ({ clock }) => (clock === undefined ? undefined : LATEST[clock]),
    earlier: ({ clock }, value, milliseconds) =>
      clock === undefined ? undefined : sql`${value} - numtodsinterval(${String(milliseconds / 1000)}, 'SECOND')`,
    sampledBounds,
    recordIdNative: 'oracle/VARCHAR2(64 BYTE)',
  };
}

// Some blocks tell well enough where the rows are; bounds only have to be in order.
async function sampledBounds(
  session: SqlSession<OracleColumn>,
  relation: SqlRelation<OracleColumn>,
  want: number,
): Promise<readonly string[]> {
  // All relations of this connector are such.
  const { info, name, order, isHeap } = relation as OracleRelation;
  const [first] = order;
  const rows = info.estimate?.rows ?? 0;
  if (first === undefined || rows === 0 || !isHeap) return [];
  const percent = Math.max(LEAST_PERCENT, Math.min(50, (100 * ROWS_PER_PART * want) / rows)).toFixed(6);
  const found = await session.query(
    sql`select ${first.expression} from ${name} sample block (${percent}) t order by ${first.order}`,
  );
  const cells = found.map(([cell]) => cell ?? '');
  const between = Array.from(
    { length: want - 1 },
    (_, index) => cells[Math.floor(((index + 1) * cells.length) / want)],
  );
  const bounds = between.filter((cell) => cell !== undefined && cell !== '' && cell.length <= LONGEST_BOUND);
  return [...new Set(bounds)].map((cell) => boundOf(first, cell ?? ''));
}

function boundOf({ column, decode }: OracleColumn, cell: string): string {
  return column.type === 'bytes' ? cell : textOf(decode(cell));
}
