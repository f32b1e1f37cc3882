import type { Batch, Row } from '../../../core/batch';
import type { ScanRequest } from '../../../core/connector';
import type { Position } from '../../../core/position';
import type { Dialect } from './dialect';
import { sql } from './fragment';
import { type Range, rangeSql } from './range';
import { type SqlColumn, type SqlRelation, textOf } from './relation';
import { ending, rowBatches } from './row-batches';
import type { Size, SqlSession } from './session';
import { type ReadPlace, snapshotLost } from './snapshot';

/** What a full read of a part works with. */
export interface PartScan<C extends SqlColumn> {
  readonly dialect: Dialect<C>;
  readonly request: ScanRequest;
  readonly relation: SqlRelation<C>;
  readonly place: ReadPlace<C>;
}

/** Bounds of the first column of the order. */
export interface Bounds {
  readonly from: string | null;
  readonly before: string | null;
}

/** Everything. */
export const UNBOUNDED: Bounds = { from: null, before: null };

const FORMAT = 1;
/** The position after a whole part. */
export const DONE: Position = { format: FORMAT, value: { done: true } };

type PartValue = { readonly done?: boolean; readonly last?: readonly string[] };

/** Reads a range in the order of the key. A position is the last row's, so it resumes between any two. */
export async function* scanRange<C extends SqlColumn>(scan: PartScan<C>, bounds: Bounds): AsyncGenerator<Batch> {
  const { dialect, request, relation, place } = scan;
  const { done, last } = (request.from?.value ?? {}) as PartValue;
  if (done) return;
  if (relation.order.length === 0) throw snapshotLost();
  const { schema } = relation.info;
  const read = [...relation.columns, ...relation.order.filter((column) => !relation.columns.includes(column))];
  const places = relation.order.map((column) => read.indexOf(column));
  const { order } = relation;
  const range = { from: place.from(relation), columns: read, order, ...boundConditions(order[0], bounds), last };
  const batches = rowBatches(rowsOf(place.session, dialect, range, request.size), {
    schema,
    after: (rows) => {
      const row = rows.at(-1) ?? [];
      return { format: FORMAT, value: { last: places.map((index) => textOf(row[index] ?? null)) } };
    },
    end: DONE,
  });
  yield* ending(batches, schema, request.from, DONE);
}

function rowsOf<C extends SqlColumn>(
  session: SqlSession<C>,
  { comparesRows }: Dialect<C>,
  range: Range<C>,
  size: Size,
): AsyncIterable<Row[]> {
  if (session.range) return session.range(range, size);
  return session.rows(rangeSql(range, selected(range.columns), comparesRows), range.columns, size);
}

function boundConditions(
  column: SqlColumn | undefined,
  { from, before }: Bounds,
): Pick<Range<SqlColumn>, 'lower' | 'upper'> {
  return {
    lower: column && from !== null ? sql`${column.order} >= ${column.bind(from)}` : undefined,
    upper: column && before !== null ? sql`${column.order} < ${column.bind(before)}` : undefined,
  };
}

/** Reads a relation without an order in one go. There is no resuming inside it. */
export async function* scanWhole<C extends SqlColumn>({
  request,
  relation,
  place,
}: PartScan<C>): AsyncGenerator<Batch> {
  const value = request.from?.value as PartValue | undefined;
  if (value?.done) return;
  if (value) throw snapshotLost();
  const { schema } = relation.info;
  const statement = sql`select ${selected(relation.columns)} from ${place.from(relation)}`;
  const batches = rowBatches(place.session.rows(statement, relation.columns, request.size), {
    schema,
    after: () => ({ format: FORMAT, value: { inside: true } }),
    end: DONE,
  });
  yield* ending(batches, schema, request.from, DONE);
}

/** The expressions of columns, for SELECT. */
export function selected(columns: readonly SqlColumn[]): string {
  return columns.map(({ expression }) => expression).join(', ');
}
