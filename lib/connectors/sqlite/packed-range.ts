import type { Row } from '../../core/batch';
import { type Fragment, sql } from '../shared/sql/fragment';
import { selected } from '../shared/sql/full-scan';
import { type Range, rangeSql } from '../shared/sql/range';
import { textOf } from '../shared/sql/relation';
import type { Chunk } from './chunks';
import type { SqliteColumn } from './columns';
import type { Cell } from './driver';
import { PackedValues, UNPACKERS } from './packed-values';

/** How a session reads for a {@link packedChunks}. */
export interface PackedReading {
  /** All rows of a statement; asked for again it is not prepared again. */
  all(statement: Fragment): Promise<readonly Cell[][]>;
  cells(statement: Fragment): AsyncIterable<readonly Cell[][]>;
  /** Rows that are not packed. */
  plain(statement: Fragment, columns: readonly SqliteColumn[]): AsyncIterable<Chunk>;
}

type SqliteRange = Range<SqliteColumn>;
/** Unpacks so many rows; `undefined` where they are not what they have to be. */
type Unpacking = (bytes: Uint8Array, count: number) => Chunk | undefined;

/** SQLite takes no expression that is deeper than 1000. */
const MOST_COLUMNS = 500;
const GROUP_ROWS = 400;
const GROUP_BYTES = 4 << 20;
const GROWTH = 4;
const NOTHING = new Uint8Array();

/** Whether the rows of a range can be packed, where the text of the database is UTF-8. */
export function isPackable({ columns }: SqliteRange): boolean {
  return columns.length <= MOST_COLUMNS;
}

/**
 * Reads a range by rows that SQLite packs, as each cell costs more to hand over than to read: many rows in one cell where a
 * range can be gone on with at once, else one. What is not packed, or not right, is read as it is.
 */
export function packedChunks(reading: PackedReading, range: SqliteRange, mostRows: number): AsyncIterable<Chunk> {
  const [first, ...others] = range.order;
  return first?.isRowid && others.length === 0
    ? inGroups(reading, range, Math.min(mostRows, GROUP_ROWS))
    : rowByRow(reading, range);
}

async function* inGroups(reading: PackedReading, whole: SqliteRange, most: number): AsyncGenerator<Chunk> {
  const { columns } = whole;
  const unpacked = unpackingOf(columns);
  const place = columns.findIndex(({ isRowid }) => isRowid);
  const first = (rows: number, selection: string) => sql`${rangeSql(range, selection, true)} limit ${String(rows)}`;
  let range = goingOn(whole, whole.last);
  for (let stretch = most; ; ) {
    const [cells = []] = await reading.all(groupSql(first(most, `${packedRow(columns)} as p`), GROUP_BYTES / most));
    const read = groupOf(cells, unpacked);
    const group = read && isAscending(read.rows, place) ? read : undefined;
    const rows = group ? [group] : reading.plain(first(stretch, selected(columns)), columns);
    let count = 0;
    for await (const chunk of rows) {
      count += chunk.rows.length;
      range = after(range, chunk);
      yield chunk;
    }
    if (count < (group ? most : stretch)) return;
    stretch = group ? most : stretch * GROWTH;
  }
}

// SQLite puts the rows into the group in the order in which they come, and does not promise it.
function groupSql(rows: Fragment, mostBytes: number): Fragment {
  return sql`select count(*), count(f), cast(group_concat(f, '') as blob)
    from (select case when octet_length(p) <= ${String(Math.floor(mostBytes))} then p end as f from (${rows}))`;
}

function groupOf([count, packed, bytes]: readonly Cell[], unpacked: Unpacking): Chunk | undefined {
  if (count !== packed) return undefined;
  return unpacked(bytes instanceof Uint8Array ? bytes : NOTHING, Number(count));
}

function isAscending(rows: readonly Row[], place: number): boolean {
  for (let index = 1; index < rows.length; index++) {
    const [before, next] = [rows[index - 1]?.[place], rows[index]?.[place]];
    if (typeof before !== 'bigint' || typeof next !== 'bigint' || before >= next) return false;
  }
  return true;
}

async function* rowByRow(reading: PackedReading, whole: SqliteRange): AsyncGenerator<Chunk> {
  const unpacked = unpackingOf(whole.columns);
  let range = whole;
  for await (const cells of reading.cells(rangeSql(range, `cast(${packedRow(range.columns)} as blob)`, true))) {
    const rows = cells.map(([cell]) => cell).filter((cell) => cell instanceof Uint8Array);
    const chunk = rows.length === cells.length ? unpacked(Buffer.concat(rows), rows.length) : undefined;
    if (chunk === undefined) {
      yield* reading.plain(rangeSql(range, selected(range.columns), true), range.columns);
      return;
    }
    range = after(range, chunk);
    yield chunk;
  }
}

function packedRow(columns: readonly SqliteColumn[]): string {
  return columns.map(({ packed }) => packed).join(' || ');
}

function after(range: SqliteRange, { rows }: Chunk): SqliteRange {
  const last = rows.at(-1);
  if (last === undefined) return range;
  return goingOn(
    range,
    range.order.map((column) => textOf(last[range.columns.indexOf(column)] ?? null)),
  );
}

// Of two lower bounds SQLite begins at the first.
function goingOn(range: SqliteRange, last: readonly string[] | undefined): SqliteRange {
  return last ? { ...range, lower: undefined, last } : range;
}

function unpackingOf(columns: readonly SqliteColumn[]): Unpacking {
  const values = new PackedValues();
  const unpackers = columns.map(({ form }) => UNPACKERS[form]);
  return (packed, count) => {
    const rows: Row[] = [];
    const bytes: number[] = [];
    values.reset(packed);
    while (rows.length < count) {
      const begun = values.taken;
      rows.push(unpackers.map((unpack) => unpack(values)));
      bytes.push(values.taken - begun);
    }
    return values.complete ? { rows, bytes } : undefined;
  };
}
