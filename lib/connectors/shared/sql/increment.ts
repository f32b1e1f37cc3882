import { createHash } from 'node:crypto';
import type { Batch, Row } from '../../../core/batch';
import type { Position } from '../../../core/position';
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
} from './cursor-progress';
import { afterReached, type CursorView, equalTo, fromMark, newestSql, rowsSql } from './cursor-view';
import { type Fragment, sql } from './fragment';
import { DONE, selected } from './full-scan';
import { isEmpty, NO_TRANSACTIONS, type OpenTransactions, waitForEnd } from './open-transactions';
import { RecordIds, rowText } from './record-ids';
import { type SqlColumn, textOf } from './relation';
import { ending, rowBatches } from './row-batches';
import type { Size, SqlSession } from './session';

/** Where a scan begins, and the position after all of it. */
interface Plan {
  readonly from: { readonly mark: Mark | null } | { readonly reached: Reached };
  readonly end: Position;
}

/** The newest value before `left` was listed. */
interface Edge {
  readonly newest: string | null;
  /** `undefined`: the server does not tell. */
  readonly left: OpenTransactions | undefined;
}

/** What an increment works with. `view` describes the relation as a session sees it now. */
export interface IncrementScan<C extends SqlColumn> {
  readonly session: SqlSession<C>;
  readonly from: Position | undefined;
  readonly size: Size;
  readonly signal: AbortSignal;
  /** Our own sessions. */
  readonly own: readonly string[];
  view(): Promise<CursorView<C>>;
}

/** The rows with a cursor value, or those without. */
interface Half {
  readonly condition: Fragment;
  readonly end: Position;
  readonly inNulls: boolean;
}

const HASH_BITS = 64;
const MARK_SIZE: Size = { rows: 5000, bytes: 1 << 20 };

/** Reads what is new since `from`, and what had not been committed when its time was read. */
export async function* scanIncrement<C extends SqlColumn>(scan: IncrementScan<C>): AsyncGenerator<Batch> {
  const { session, from } = scan;
  const state = cursorState(from);
  const before = await scan.view();
  const edge = 'progress' in state ? await readEdge(scan, before) : undefined;
  // What it shows is newer than the end of the transactions that were waited for: it has what they committed.
  await before.dialect.begin(session);
  const described = await scan.view();
  const view = edge && edge.left === undefined ? withMargin(described) : described;
  const plan: Plan =
    'progress' in state
      ? await planIncrement(session, view, state.progress, edge ?? { newest: null, left: NO_TRANSACTIONS })
      : { from: { reached: state.reached }, end: state.end };
  yield* ending(orderedRows(session, view, plan, scan.size), view.schema, from, plan.end);
  await view.dialect.end(session);
}

function withMargin<C extends SqlColumn>(view: CursorView<C>): CursorView<C> {
  return { ...view, lookbackMs: Math.max(view.lookbackMs, view.dialect.marginMs) };
}

async function readEdge<C extends SqlColumn>(scan: IncrementScan<C>, view: CursorView<C>): Promise<Edge> {
  const newest = await readNewest(scan.session, view);
  return { newest, left: await openAfter(scan.session, view, scan.own, scan.signal) };
}

async function openAfter<C extends SqlColumn>(
  session: SqlSession<C>,
  { dialect }: Pick<CursorView<C>, 'dialect'>,
  own: readonly string[],
  signal: AbortSignal,
): Promise<OpenTransactions | undefined> {
  const open = await dialect.openTransactions(session, own);
  if (open === undefined || isEmpty(open)) return open;
  const ask = async () => (await dialect.openTransactions(session, own)) ?? open;
  return waitForEnd(open, ask, signal);
}

async function readNewest<C extends SqlColumn>(session: SqlSession<C>, view: CursorView<C>): Promise<string | null> {
  let newest: string | null = null;
  // To its end, though it is one row: the session is at rest then.
  for await (const [row = []] of session.rows(newestSql(view), [view.cursor], MARK_SIZE)) newest = cell(row, 0);
  return newest;
}

async function planIncrement<C extends SqlColumn>(
  session: SqlSession<C>,
  view: CursorView<C>,
  progress: CursorProgress,
  { newest, left = NO_TRANSACTIONS }: Edge,
): Promise<Plan> {
  const mark = newest === null ? null : await readMark(session, view, newest);
  return { from: { mark: startMark(progress, left) }, end: progressPosition(nextProgress(progress, mark, left)) };
}

/**
 * Where the first increment starts: computed at the moment before that of the full read, with what was open between the two.
 * Where there is no such moment, what is open after the newest value was read is asked for, before any part is read.
 */
export async function startPosition<C extends SqlColumn>(
  { session, signal, own }: Pick<IncrementScan<C>, 'session' | 'signal' | 'own'>,
  view: CursorView<C>,
  open: OpenTransactions | undefined,
): Promise<Position> {
  const newest = await readNewest(session, view);
  const mark = newest === null ? null : await readMark(session, view, newest);
  const left = open ?? (await openAfter(session, view, own, signal)) ?? NO_TRANSACTIONS;
  return progressPosition(nextProgress(NOTHING_READ, mark, left));
}

// The hash does not depend on the order of the rows, as without a key there is none.
async function readMark<C extends SqlColumn>(
  session: SqlSession<C>,
  view: CursorView<C>,
  value: string,
): Promise<Mark> {
  const columns = view.key.length === 0 ? view.relation.columns : view.key;
  const statement = sql`select ${selected(columns)} from ${view.from} where ${equalTo(view, value)}`;
  let count = 0;
  let hash = 0n;
  for await (const rows of session.rows(statement, columns, MARK_SIZE)) {
    count += rows.length;
    for (const row of rows) hash += createHash('sha256').update(rowText(row)).digest().readBigUInt64BE();
  }
  return { value, count: String(count), hash: String(BigInt.asUintN(HASH_BITS, hash)) };
}

/** The condition of the rows a plan begins with. Rows with the mark's value are read again where they are not the same. */
async function firstRows<C extends SqlColumn>(
  session: SqlSession<C>,
  view: CursorView<C>,
  plan: Plan,
): Promise<Fragment> {
  if ('reached' in plan.from) return afterReached(view, plan.from.reached);
  const { mark } = plan.from;
  if (mark === null) return fromMark(view, null, true);
  const now = await readMark(session, view, mark.value);
  return fromMark(view, mark, now.count !== mark.count || now.hash !== mark.hash);
}

/** Reads the part of a table without a key that a full read by cursor has. */
export async function* scanOrdered<C extends SqlColumn>(
  session: SqlSession<C>,
  view: CursorView<C>,
  from: Position | undefined,
  size: Size,
): AsyncGenerator<Batch> {
  const value = from?.value as { done?: boolean; reached?: Reached } | undefined;
  if (value?.done) return;
  const start = value?.reached ? { reached: value.reached } : { mark: null };
  yield* ending(orderedRows(session, view, { from: start, end: DONE }, size), view.schema, from, DONE);
}

// First the rows with a cursor value, in its order, then those without; each half resumes inside itself.
async function* orderedRows<C extends SqlColumn>(
  session: SqlSession<C>,
  view: CursorView<C>,
  plan: Plan,
  size: Size,
): AsyncGenerator<Batch> {
  const nulls = view.cursor.column.nullable ? reachedPosition(plan.end, { cursor: null }) : undefined;
  const inNulls = 'reached' in plan.from && plan.from.reached.cursor === null;
  const first = await firstRows(session, view, plan);
  const half: Half = { condition: first, end: inNulls ? plan.end : (nulls ?? plan.end), inNulls };
  yield* readOrdered(session, view, half, plan, size);
  if (inNulls || nulls === undefined) return;
  const rest: Half = { condition: afterReached(view, { cursor: null }), end: plan.end, inNulls: true };
  yield* readOrdered(session, view, rest, plan, size);
}

async function* readOrdered<C extends SqlColumn>(
  session: SqlSession<C>,
  view: CursorView<C>,
  { condition, end, inNulls }: Half,
  plan: Plan,
  size: Size,
): AsyncGenerator<Batch> {
  const begun = 'reached' in plan.from ? plan.from.reached : undefined;
  // Having come to the rows without a value is a place to go on from, too.
  let reached: Reached | undefined = inNulls && begun?.cursor !== null ? { cursor: null } : begun;
  const rows = session.rows(rowsSql(view, condition), view.relation.columns, size);
  yield* rowBatches(view.key.length === 0 ? identified(view, rows) : rows, {
    schema: view.schema,
    after: (batch) => {
      reached = reachedBy(view, batch, inNulls) ?? reached;
      return reached ? reachedPosition(plan.end, reached) : progressPosition(NOTHING_READ);
    },
    end,
  });
}

async function* identified<C extends SqlColumn>(
  { relation, place }: CursorView<C>,
  batches: AsyncIterable<Row[]>,
): AsyncGenerator<Row[]> {
  const ids = new RecordIds(relation.info.schema.stream, place);
  for await (const rows of batches) yield rows.map((row) => ids.add(row));
}

// Rows without a key are numbered within their cursor value, so there is no stopping inside one.
function reachedBy<C extends SqlColumn>(
  view: CursorView<C>,
  rows: readonly Row[],
  inNulls: boolean,
): Reached | undefined {
  const last = rows.at(-1);
  if (last === undefined) return undefined;
  if (view.key.length > 0) {
    // Read as null, though it is none for the server: nothing can be said that the server understands.
    if (!inNulls && cell(last, view.place) === null) return undefined;
    return { cursor: cell(last, view.place), key: view.keyPlaces.map((place) => cell(last, place) ?? '') };
  }
  const place = view.place + 1; // behind the record id
  const before = rows.findLast((row) => cell(row, place) !== cell(last, place));
  const cursor = before === undefined ? null : cell(before, place);
  return cursor === null ? undefined : { cursor };
}

function cell(row: Row, place: number): string | null {
  const value = row[place];
  return value === null || value === undefined ? null : textOf(value);
}
