import { type Fragment, joined, sql } from '../shared/sql/fragment';
import { where } from '../shared/sql/keyset';
import type { SqlRelation } from '../shared/sql/relation';
import type { SqlSession } from '../shared/sql/session';
import { isHiddenIndex } from './classify';
import { quoteIdentifier } from './identifiers';
import type { KeySpace } from './key-space';
import type { MysqlRelation } from './relation';
import { isMariadb } from './session';
import type { MysqlColumn } from './types';

/** The first column of a key, and where it is looked up. */
interface KeyPlace {
  readonly session: SqlSession<MysqlColumn>;
  readonly column: MysqlColumn;
  readonly keySpace: KeySpace;
  /** What stands after FROM; it names the index, as the server may else read the table to find one key. */
  readonly source: string;
}

interface KeyRange {
  /** A key that is there. */
  readonly from: string;
  readonly before: string | null;
  /** As the server estimates them. */
  readonly rows: number;
  /** No key to cut it at was found. */
  readonly whole?: true;
}

// All rounds together look up some hundred keys and ask for as many estimates, whatever the size of the table.
const ROUNDS = 8;
const GUESSES = 64;
const MOST_CUT = 16;
// How many ranges a part is to be made of.
const FINENESS = 4;
const LONGEST_BOUND = 1000;

/**
 * Bounds between ranges of about as many rows in the first column of a key. Where too many rows are in a range, keys between
 * its first and its last are guessed; the server gives the real ones that follow them, and estimates from the upper levels of the
 * index how many rows lie between those.
 */
export async function sampledBounds(
  session: SqlSession<MysqlColumn>,
  relation: SqlRelation<MysqlColumn>,
  want: number,
): Promise<readonly string[]> {
  // All relations of this connector are such.
  const { info, order, source, keyIndex } = relation as MysqlRelation;
  const [column] = order;
  if (column?.keySpace === undefined) return [];
  const { keySpace } = column;
  const place = { session, column, keySpace, source: `${source} force index (${quoteIdentifier(keyIndex)})` };
  const least = await leastKey(place);
  if (least === undefined) return [];
  let ranges: readonly KeyRange[] = [{ from: least, before: null, rows: info.estimate?.rows ?? 0 }];
  for (let round = 0; round < ROUNDS; round++) {
    const wide = widest(ranges, want);
    if (wide.length === 0) break;
    const pieces = await cut(place, wide);
    ranges = ranges.flatMap((range) => pieces.get(range) ?? [range]);
  }
  return evenBounds(ranges, want);
}

/** `undefined` where there is none, or it cannot be found without reading the table. */
async function leastKey(place: KeyPlace): Promise<string | undefined> {
  try {
    const [least] = await found(place, [nearest(place, 0, [], 'asc')]);
    return least?.key;
  } catch (error) {
    if (isHiddenIndex(error)) return undefined;
    throw error;
  }
}

function widest(ranges: readonly KeyRange[], want: number): KeyRange[] {
  const most = rowsOf(ranges) / (want * FINENESS);
  const wide = ranges.filter(({ rows, whole }) => rows > most && !whole);
  return wide.sort((left, right) => right.rows - left.rows).slice(0, MOST_CUT);
}

/** What each of the ranges falls into. */
async function cut(place: KeyPlace, ranges: readonly KeyRange[]): Promise<ReadonlyMap<KeyRange, KeyRange[]>> {
  const inside = await keysInside(place, ranges);
  const pieces = ranges.map(({ from, before }, index) => {
    const keys = inside[index] ?? [];
    return [from, ...keys].map((start, at) => ({ from: start, before: keys[at] ?? before }));
  });
  const rows = await estimates(place, pieces.flat());
  const counted = pieces.map((all) => all.map((piece) => ({ ...piece, rows: rows.shift() ?? 0 })));
  return new Map(
    ranges.map((range, index) => {
      const all = counted[index] ?? [];
      return [range, all.length > 1 ? all : [{ ...range, whole: true }]];
    }),
  );
}

/** Some keys of each range, in order, without its first. */
async function keysInside(place: KeyPlace, ranges: readonly KeyRange[]): Promise<string[][]> {
  const last = await found(
    place,
    ranges.map((range, index) => nearest(place, index, within(place, range), 'desc')),
  );
  const each = Math.floor(GUESSES / ranges.length);
  const lookups = last.flatMap(({ index, key }) => {
    const range = ranges[index];
    if (range === undefined) return [];
    const after = sql`${place.column.order} > ${place.column.bind(range.from)}`;
    const conditions = [...within(place, range), after];
    return place.keySpace
      .guesses(range.from, key, each)
      .map((guess) => [...conditions, sql`${place.column.order} >= ${place.keySpace.bind(guess)}`])
      .map((all) => nearest(place, index, all, 'asc'));
  });
  const keys = lookups.length === 0 ? [] : await found(place, lookups);
  return ranges.map((_, index) => keys.filter((one) => one.index === index).map(({ key }) => key));
}

function within({ column }: KeyPlace, { from, before }: Omit<KeyRange, 'rows'>): Fragment[] {
  const beginning = sql`${column.order} >= ${column.bind(from)}`;
  return before === null ? [beginning] : [beginning, sql`${column.order} < ${column.bind(before)}`];
}

/** The first or the last key that meets the conditions, with a number to know it by. */
function nearest(
  { column: { order }, source }: KeyPlace,
  index: number,
  conditions: readonly Fragment[],
  direction: 'asc' | 'desc',
): Fragment {
  return sql`select ${String(index)} as i, g.k from
    (select ${order} as k from ${source}${where(conditions)} order by ${order} ${direction} limit 1) g`;
}

/** The keys that lookups find, each once, in the order of the column. */
async function found(
  { session, keySpace }: KeyPlace,
  lookups: readonly Fragment[],
): Promise<readonly { readonly index: number; readonly key: string }[]> {
  const rows = await session.query(sql`select u.i, ${keySpace.text('u.k')} from (${joined(lookups, ' union all ')}) u
    group by u.i, u.k order by u.k`);
  return rows.map(([index, key]) => ({ index: Number(index), key: key ?? '' }));
}

async function estimates(place: KeyPlace, ranges: readonly Omit<KeyRange, 'rows'>[]): Promise<number[]> {
  const { session, source } = place;
  const reads = ranges.map((range) => sql`select 1 from ${source}${where(within(place, range))}`);
  const plans = await session.query(sql`explain ${joined(reads, ' union all ')}`);
  // Before the last column, which says more in words; MySQL has one more between them.
  const rows = isMariadb(session) ? -2 : -3;
  return plans.slice(0, ranges.length).map((plan) => Number(plan.at(rows) ?? 0) || 0);
}

function rowsOf(ranges: readonly KeyRange[]): number {
  return ranges.reduce((total, { rows }) => total + rows, 0);
}

/** For each bound between equal parts the beginning of a range that is nearest to it. */
function evenBounds(ranges: readonly KeyRange[], want: number): readonly string[] {
  let rows = 0;
  const starts = ranges.map((range) => {
    const start = { from: range.from, after: rows };
    rows += range.rows;
    return start;
  });
  const usable = starts.slice(1).filter(({ from }) => from.length <= LONGEST_BOUND);
  const [first] = usable;
  if (first === undefined) return [];
  const bounds = Array.from({ length: want - 1 }, (_, index) => {
    const even = (rows * (index + 1)) / want;
    const nearer = (best: typeof first, start: typeof first) =>
      Math.abs(start.after - even) < Math.abs(best.after - even) ? start : best;
    return usable.reduce(nearer, first).from;
  });
  return [...new Set(bounds)];
}
