import type { Batch, Row } from '../../core/batch';
import type { Cursor, ScanRequest } from '../../core/connector';
import type { Position } from '../../core/position';
import type { StreamSchema } from '../../core/schema';
import {
  type CursorProgress,
  cursorState,
  type Mark,
  NOTHING_READ,
  nextProgress,
  progressPosition,
  type Reached,
  reachedPosition,
  startMark,
} from '../shared/sql/cursor-progress';
import { isEmpty, type OpenTransactions, waitForEnd } from '../shared/sql/open-transactions';
import { copyRows, ending } from './copy-batches';
import { afterReached, type CursorView, cursorView, fromMark, markSql, newestSql, rowsSql } from './cursor-sql';
import { DONE, type PartScan } from './full-scan';
import { openTransactions, openTransactionsSql, parseOpenTransactions } from './open-transactions';
import type { Relation } from './relation';
import type { Relations } from './relations';
import type { Session } from './session';
import type { Sessions } from './sessions';
import { beginFresh, commit } from './snapshot';
import { textOf } from './values';

/** What the scan of an increment works with. */
export interface IncrementScan {
  readonly sessions: Sessions;
  readonly relations: Relations;
  readonly request: ScanRequest;
}

/** The newest value before `left` was listed. */
interface Edge {
  readonly newest: string | null;
  readonly left: OpenTransactions;
}

/** Where a scan begins, and the position after all of it. */
export interface Plan {
  readonly from: { readonly mark: Mark | null } | { readonly reached: Reached };
  readonly end: Position;
}

/** Reads what is new since `request.from`, and what had not been committed when its time was read. */
export async function* scanIncrement(scan: IncrementScan, session: Session): AsyncGenerator<Batch> {
  const { current, plan } = await beginIncrement(scan, session);
  const batches = orderedRows(session, current, plan, scan.request.size);
  yield* ending(batches, current.schema, scan.request.from, plan.end);
  await commit(session);
}

/** An increment in a transaction that shows it, and where it begins and ends. */
export async function beginIncrement(
  scan: IncrementScan,
  session: Session,
): Promise<{ current: CursorView; plan: Plan }> {
  const { request, relations, sessions } = scan;
  const cursor = request.cursor as Cursor;
  const state = cursorState(request.from);
  const edge =
    'progress' in state
      ? await readEdge(session, await view(scan, session, cursor), sessions.pids, request.signal)
      : undefined;
  // The snapshot is taken after the transactions that were waited for have ended: it shows what they committed.
  await beginFresh(session, await relations.locks(session, request.stream.stream));
  const current = await view(scan, session, cursor);
  const plan: Plan =
    'progress' in state && edge
      ? await planIncrement(session, current, state.progress, edge)
      : { from: { reached: 'reached' in state ? state.reached : { cursor: null } }, end: endOf(state) };
  return { current, plan };
}

function endOf(state: ReturnType<typeof cursorState>): Position {
  return 'end' in state ? state.end : progressPosition(NOTHING_READ);
}

async function view({ relations, request }: IncrementScan, session: Session, cursor: Cursor): Promise<CursorView> {
  const relation = await relations.describe(session, request.stream.stream);
  return cursorView(relation, cursor, (schema) => relations.rememberExtended(schema));
}

// One statement: its snapshot is older than the list of transactions, which is made while it runs.
async function readEdge(
  session: Session,
  current: CursorView,
  pids: readonly number[],
  signal: AbortSignal,
): Promise<Edge> {
  const [row = {}] = await session.query(`select ${newestSql(current)} as newest, ${openTransactionsSql(pids)}`);
  const open = parseOpenTransactions(row);
  const ask = () => openTransactions(session, pids);
  return { newest: row.newest ?? null, left: isEmpty(open) ? open : await waitForEnd(open, ask, signal) };
}

async function planIncrement(
  session: Session,
  current: CursorView,
  progress: CursorProgress,
  { newest, left }: Edge,
): Promise<Plan> {
  const mark = newest === null ? null : await readMark(session, current, newest);
  return { from: { mark: startMark(progress, left) }, end: progressPosition(nextProgress(progress, mark, left)) };
}

async function readMark(session: Session, current: CursorView, value: string): Promise<Mark> {
  const [row] = await session.query(`select ${markSql(current, value)} as mark`);
  const [count, hash] = JSON.parse(row?.mark ?? '["0","0"]') as [string, string];
  return { value, count, hash };
}

/** The condition of the rows a plan begins with. Rows with the mark's value are read again where they are not the same. */
export async function firstRows(session: Session, current: CursorView, plan: Plan): Promise<string> {
  if ('reached' in plan.from) return afterReached(current, plan.from.reached);
  const { mark } = plan.from;
  if (mark === null) return fromMark(current, null, true);
  const now = await readMark(session, current, mark.value);
  return fromMark(current, mark, now.count !== mark.count || now.hash !== mark.hash);
}

/** Where the first increment starts: computed in the transaction before that of the full read. */
export async function startPosition(
  session: Session,
  relation: Relation,
  cursor: Cursor,
  left: OpenTransactions,
): Promise<Position> {
  const current = cursorView(relation, cursor, (schema) => schema);
  const [row] = await session.query(`select ${newestSql(current)} as newest`);
  const newest = row?.newest ?? null;
  const mark = newest === null ? null : await readMark(session, current, newest);
  return progressPosition(nextProgress(NOTHING_READ, mark, left));
}

/** Reads the part of a table without a key that a full read by cursor has. */
export async function* scanOrdered(
  { request, relation }: PartScan,
  column: string,
  session: Session,
  extend: (schema: StreamSchema) => StreamSchema,
): AsyncGenerator<Batch> {
  const value = request.from?.value as { done?: boolean; reached?: Reached } | undefined;
  if (value?.done) return;
  const current = cursorView(relation, { column, lookbackMs: 0 }, extend);
  const from = value?.reached ? { reached: value.reached } : { mark: null };
  const batches = orderedRows(session, current, { from, end: DONE }, request.size);
  yield* ending(batches, current.schema, request.from, DONE);
}

// First the rows with a cursor value, in its order, then those without; each half resumes inside itself.
async function* orderedRows(
  session: Session,
  current: CursorView,
  plan: Plan,
  size: ScanRequest['size'],
): AsyncGenerator<Batch> {
  const { schema } = current;
  const nulls = current.catalogColumn.notNull ? undefined : reachedPosition(plan.end, { cursor: null });
  const inNulls = 'reached' in plan.from && plan.from.reached.cursor === null;
  const first = await firstRows(session, current, plan);
  const read = (where: string, end: Position) => {
    let reached: Reached | undefined = 'reached' in plan.from ? plan.from.reached : undefined;
    return copyRows({
      session,
      select: rowsSql(current, where, true),
      extra: 0,
      schema,
      size,
      after: ({ lines }) => {
        reached = reachedBy(current, lines.rows) ?? reached;
        return reached ? reachedPosition(plan.end, reached) : progressPosition(NOTHING_READ);
      },
      end,
    });
  };
  if (inNulls) return yield* read(first, plan.end);
  yield* read(first, nulls ?? plan.end);
  if (nulls) yield* read(afterReached(current, { cursor: null }), plan.end);
}

// Rows without a key are numbered within their cursor value, so there is no stopping inside one.
function reachedBy(current: CursorView, rows: readonly Row[]): Reached | undefined {
  const last = rows.at(-1);
  if (last === undefined) return undefined;
  const cursorOf = (row: Row) => cell(row, current.index);
  if (!current.keyless) {
    return { cursor: cursorOf(last), key: current.keyIndexes.map((index) => cell(last, index) ?? '') };
  }
  const before = rows.findLast((row) => cursorOf(row) !== cursorOf(last));
  return before === undefined ? undefined : { cursor: cursorOf(before) };
}

function cell(row: Row, index: number): string | null {
  const value = row[index];
  return value === null || value === undefined ? null : textOf(value);
}
