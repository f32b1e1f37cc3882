import type { Cursor } from '../../../core/connector';
import { Fault } from '../../../core/fault';
import type { StreamSchema } from '../../../core/schema';
import type { Mark, Reached } from './cursor-progress';
import type { Dialect } from './dialect';
import { type Fragment, sql } from './fragment';
import { selected } from './full-scan';
import { comesAfter } from './keyset';
import type { SqlColumn, SqlRelation } from './relation';
import type { Shapes } from './shapes';

/** A relation as increments read it: by which column, and with which key. */
export interface CursorView<C extends SqlColumn> {
  readonly dialect: Dialect<C>;
  readonly relation: SqlRelation<C>;
  /** With a record id where there is no key. */
  readonly schema: StreamSchema;
  readonly cursor: C;
  readonly lookbackMs: number;
  /** The place of the cursor in `relation.columns`. */
  readonly place: number;
  /** The columns of the key, and their places; none where a record id takes the place of a key. */
  readonly key: readonly C[];
  readonly keyPlaces: readonly number[];
  /** What stands after FROM. */
  readonly from: string;
}

/** How the relation is read by the cursor. */
export function cursorView<C extends SqlColumn>(
  dialect: Dialect<C>,
  relation: SqlRelation<C>,
  cursor: Cursor,
  shapes: Shapes,
  from = relation.source,
): CursorView<C> {
  const { schema } = relation.info;
  const place = schema.columns.findIndex(({ name }) => name === cursor.column);
  const column = relation.columns[place];
  if (column === undefined) throw cursorMissing(schema.stream, cursor.column);
  const keyPlaces = schema.key.map((name) => schema.columns.findIndex((candidate) => candidate.name === name));
  return {
    dialect,
    relation,
    schema: keyPlaces.length === 0 ? shapes.extended(schema, dialect.recordIdNative) : schema,
    cursor: column,
    lookbackMs: cursor.lookbackMs,
    place,
    key: keyPlaces.flatMap((index) => relation.columns[index] ?? []),
    keyPlaces,
    from,
  };
}

function cursorMissing(stream: string, column: string): Fault {
  return new Fault('config', 'cursor_missing', `reading ${stream}: there is no column ${column} that can be read`, {
    hint: 'Choose another cursor by sync_strategy.timestamp_field or the stream\'s "cursor".',
  });
}

/** The query for the rows that `condition` chooses, in the order of cursor and key. */
export function rowsSql<C extends SqlColumn>(view: CursorView<C>, condition: Fragment): Fragment {
  const { relation, cursor, key, from } = view;
  const order = [cursor, ...key.filter((column) => column !== cursor)].map((column) => column.order).join(', ');
  return sql`select ${selected(relation.columns)} from ${from} where ${condition} order by ${order}`;
}

/** The newest row by the cursor that is not in the future. */
export function newestSql<C extends SqlColumn>({ dialect, cursor, from }: CursorView<C>): Fragment {
  const latest = dialect.latest(cursor);
  const known = latest === undefined ? '' : ` and ${cursor.order} <= ${latest}`;
  const query = sql`select ${cursor.expression} from ${from} where ${cursor.order} is not null${known} order by ${cursor.order} desc`;
  return dialect.first(query, 1);
}

/** The rows that have exactly this cursor value. */
export function equalTo<C extends SqlColumn>({ cursor }: CursorView<C>, value: string): Fragment {
  return sql`${cursor.order} = ${cursor.bind(value)}`;
}

/** The condition of rows from a mark on; `again` includes those that have its value. */
export function fromMark<C extends SqlColumn>(view: CursorView<C>, mark: Mark | null, again: boolean): Fragment {
  const { dialect, cursor, lookbackMs } = view;
  if (mark === null) return sql`${cursor.order} is not null`;
  const value = cursor.bind(mark.value);
  const earlier = lookbackMs > 0 ? dialect.earlier(cursor, value, lookbackMs) : undefined;
  if (earlier) return sql`${cursor.order} >= ${earlier}`;
  return sql`${cursor.order} ${again ? '>=' : '>'} ${value}`;
}

/** The condition of rows that follow where a scan stopped inside. */
export function afterReached<C extends SqlColumn>(view: CursorView<C>, reached: Reached): Fragment {
  const { dialect, cursor, key } = view;
  if (reached.cursor === null) {
    const later = reached.key?.length ? sql` and ${comesAfter(key, reached.key, dialect.comparesRows)}` : sql``;
    return sql`${cursor.order} is null${later}`;
  }
  const others = key.flatMap((column, index) =>
    column === cursor ? [] : [{ column, text: reached.key?.[index] ?? '' }],
  );
  if (!reached.key?.length) return sql`${cursor.order} > ${cursor.bind(reached.cursor)}`;
  const columns = [cursor, ...others.map(({ column }) => column)];
  return comesAfter(columns, [reached.cursor, ...others.map(({ text }) => text)], dialect.comparesRows);
}
