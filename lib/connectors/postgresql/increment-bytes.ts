import type { Batch } from '../../core/batch';
import type { Position } from '../../core/position';
import { type Reached, reachedPosition } from '../shared/sql/cursor-progress';
import { copyBytes, type PgCopyFormat } from './byte-batch';
import { ending } from './copy-batches';
import { afterReached, type CursorView, rowsSql } from './cursor-sql';
import { quoteLiteral } from './identifiers';
import { beginIncrement, firstRows, type IncrementScan, type Plan } from './increment';
import { isIndexed } from './relation';
import type { Session } from './session';
import { beginFresh, commit } from './snapshot';

const RANGE_BYTES = 32 * 1024 * 1024;
const PAGE_BYTES = 8192;
const LEAST_ROWS = 10_000;
const MOST_ROWS = 1_000_000;

/**
 * An increment as COPY's bytes, cut at values of the cursor. Neither plan nor bodies hold a connection while the reader
 * has the word, so any number of scans share a few. What later transactions see more is read again by the next increment.
 */
export async function* incrementAsBytes(scan: IncrementScan, format: PgCopyFormat): AsyncGenerator<Batch> {
  const { sessions, request } = scan;
  const { signal } = request;
  const { current, plan } = await sessions.use(signal, async (session) => {
    await scan.relations.resolve(session, request.stream.stream);
    const begun = await beginIncrement(scan, session);
    await commit(session);
    return begun;
  });
  yield* ending(byteRanges(scan, current, plan, format), current.schema, request.from, plan.end);
}

async function* byteRanges(
  scan: IncrementScan,
  current: CursorView,
  plan: Plan,
  format: PgCopyFormat,
): AsyncGenerator<Batch> {
  const { sessions, relations, request } = scan;
  const { signal } = request;
  const { schema, column } = current;
  const fresh = async (own: Session) => beginFresh(own, await relations.locks(own, request.stream.stream));
  const ask = <T>(question: (own: Session) => Promise<T>) =>
    sessions.use(signal, async (own) => {
      await fresh(own);
      const answer = await question(own);
      await commit(own);
      return answer;
    });
  const batch = (after: Position, condition: (own: Session) => Promise<string>) => {
    const begin = async (own: Session) => {
      await fresh(own);
      return rowsSql(current, await condition(own), false);
    };
    return copyBytes({ sessions, signal, schema, after, format, begin });
  };
  const nullable = !current.catalogColumn.notNull;
  const afterRows = nullable ? reachedPosition(plan.end, { cursor: null }) : plan.end;
  let from: Plan = plan;
  for (let more = !startsInNulls(plan); more; ) {
    const start = from;
    const upper = await ask(async (own) => rangeEnd(own, current, await firstRows(own, current, start)));
    if (upper === 'empty') break;
    more = upper !== 'open';
    const bound = upper === 'open' ? '' : ` and ${column} <= ${quoteLiteral(upper.cursor ?? '')}`;
    const after = upper === 'open' ? afterRows : reachedPosition(plan.end, upper);
    yield batch(after, async (own) => `${await firstRows(own, current, start)}${bound}`);
    if (upper !== 'open') from = { from: { reached: upper }, end: plan.end };
  }
  if (!nullable) return;
  const nulls = afterReached(
    current,
    'reached' in plan.from && startsInNulls(plan) ? plan.from.reached : { cursor: null },
  );
  if (await ask((own) => exists(own, current, nulls))) yield batch(plan.end, async () => nulls);
}

function startsInNulls({ from }: Plan): boolean {
  return 'reached' in from && from.reached.cursor === null;
}

async function exists(session: Session, { relation }: CursorView, where: string): Promise<boolean> {
  const [row] = await session.query(`select exists (select from ${relation.source} where ${where}) as found`);
  return row?.found === 't';
}

// Where an index gives the order, a range ends after some rows, with all that share the last one's value.
async function rangeEnd(session: Session, current: CursorView, where: string): Promise<'empty' | 'open' | Reached> {
  const { relation, column, cursor } = current;
  if (!isIndexed(relation.catalog, cursor.column)) return (await exists(session, current, where)) ? 'open' : 'empty';
  const rows = rowsPerRange(relation.catalog);
  const [row] = await session.query(`
    with range (c, n) as (select c, row_number() over () from (
      select ${column} as c from ${relation.source} where ${where} order by ${column} limit ${rows}) r)
    select n as rows, c::text as value from range order by n desc limit 1`);
  const count = Number(row?.rows ?? 0);
  if (count === 0) return 'empty';
  return count < rows ? 'open' : { cursor: row?.value ?? null };
}

function rowsPerRange({ rows, pages }: { readonly rows: number; readonly pages: number }): number {
  const width = rows > 0 ? (pages * PAGE_BYTES) / rows : 0;
  return Math.round(Math.min(MOST_ROWS, Math.max(LEAST_ROWS, width > 0 ? RANGE_BYTES / width : LEAST_ROWS)));
}
