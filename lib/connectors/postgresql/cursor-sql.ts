import type { Cursor } from '../../core/connector';
import { Fault } from '../../core/fault';
import { type Column, RECORD_ID, type StreamSchema } from '../../core/schema';
import type { Mark, Reached } from '../shared/sql/cursor-progress';
import type { RawColumn } from './catalog';
import { quoteIdentifier, quoteLiteral } from './identifiers';
import type { Relation } from './relation';

/** A relation as increments read it: by which column, and with which key. */
export interface CursorView {
  readonly relation: Relation;
  readonly cursor: Cursor;
  readonly schema: StreamSchema;
  /** The cursor as SQL, its catalog column, and its place in `schema.columns`. */
  readonly column: string;
  readonly catalogColumn: RawColumn;
  readonly index: number;
  /** The columns of the key as SQL, and their places; none where a record id takes the place of a key. */
  readonly key: readonly string[];
  readonly keyIndexes: readonly number[];
  /** Whether rows are told apart by a record id. */
  readonly keyless: boolean;
}

const RECORD_ID_COLUMN: Column = { name: RECORD_ID, type: 'text', nullable: false, native: 'postgresql/text' };
const LOCAL_LATEST = `((now() at time zone 'UTC') + interval '14 hours')`;

/** How the relation is read by the cursor. `extend` gives the schema with a record id its identity. */
export function cursorView(
  relation: Relation,
  cursor: Cursor,
  extend: (schema: StreamSchema) => StreamSchema,
): CursorView {
  const catalogColumn = relation.catalog.columns.find(({ name, readable }) => readable && name === cursor.column);
  if (catalogColumn === undefined) throw cursorMissing(relation.schema.stream, cursor.column);
  const keyless = relation.schema.key.length === 0;
  const schema = keyless ? extend(withRecordId(relation.schema)) : relation.schema;
  const place = (name: string) => schema.columns.findIndex((column) => column.name === name);
  const key = keyless ? [] : relation.schema.key;
  return {
    relation,
    cursor,
    schema,
    column: `t.${quoteIdentifier(cursor.column)}`,
    catalogColumn,
    index: place(cursor.column),
    key: key.map((name) => `t.${quoteIdentifier(name)}`),
    keyIndexes: key.map(place),
    keyless,
  };
}

function withRecordId(schema: StreamSchema): StreamSchema {
  return { ...schema, columns: [RECORD_ID_COLUMN, ...schema.columns], key: [RECORD_ID] };
}

function cursorMissing(stream: string, column: string): Fault {
  return new Fault('config', 'cursor_missing', `reading ${stream}: there is no column ${column} that can be read`, {
    hint: 'Choose another cursor by sync_strategy.timestamp_field or the stream\'s "cursor".',
  });
}

/** The query for the rows that `where` chooses. Equal rows without a key are numbered among those of their cursor value. */
export function rowsSql(view: CursorView, where: string, ordered: boolean): string {
  const { relation, column, key } = view;
  const columns = relation.reads.map((read) => read.expression).join(', ');
  const order = ordered ? ` order by ${[column, ...key.filter((name) => name !== column)].join(', ')}` : '';
  if (!view.keyless) return `select ${columns} from ${relation.source} where ${where}${order}`;
  const id = `md5(i.id) || '-' || row_number() over (partition by ${column}, i.id)`;
  const text = `cross join lateral (select row(${columns})::text as id) i`;
  return `select ${id}, ${columns} from ${relation.source} ${text} where ${where}${order}`;
}

/** The newest value of the cursor that is not in the future; where the clock cannot be compared, none is. */
export function newestSql({ relation, column, catalogColumn }: CursorView): string {
  const latest = latestPossible(catalogColumn.typeName);
  const bound = latest === undefined ? '' : ` and ${column} <= ${latest}`;
  return `(select ${column}::text from ${relation.source} where ${column} is not null${bound} order by ${column} desc limit 1)`;
}

// A time without a zone may be of any zone; the first of them are 14 hours ahead.
function latestPossible(typeName: string): string | undefined {
  if (typeName === 'timestamptz') return 'now()';
  if (typeName === 'timestamp') return LOCAL_LATEST;
  return typeName === 'date' ? `${LOCAL_LATEST}::date` : undefined;
}

/** Count and hash of the rows that have exactly this cursor value. */
export function markSql(view: CursorView, value: string): string {
  const { relation, column, key } = view;
  const identity = view.keyless ? relation.reads.map((read) => read.expression) : key;
  const hash = `hashtextextended(row(${identity.join(', ')})::text, 0)`;
  return `(select json_build_array(count(*)::text, coalesce(sum(${hash}), 0)::text)
    from ${relation.source} where ${column} = ${quoteLiteral(value)})`;
}

/** The condition of rows from a mark on; `again` includes those that have its value. */
export function fromMark(view: CursorView, mark: Mark | null, again: boolean): string {
  const { column, cursor, catalogColumn } = view;
  if (mark === null) return `${column} is not null`;
  const value = quoteLiteral(mark.value);
  const timed = latestPossible(catalogColumn.typeName) !== undefined;
  if (cursor.lookbackMs > 0 && timed) {
    return `${column} >= ${value}::${catalogColumn.typeName} - interval '${cursor.lookbackMs} milliseconds'`;
  }
  return `${column} ${again ? '>=' : '>'} ${value}`;
}

/** The condition of rows that follow where a scan stopped inside. */
export function afterReached(view: CursorView, reached: Reached): string {
  const { column, key } = view;
  const keyValues = reached.key?.map(quoteLiteral) ?? [];
  if (reached.cursor === null) {
    const later = keyValues.length > 0 ? ` and (${key.join(', ')}) > (${keyValues.join(', ')})` : '';
    return `${column} is null${later}`;
  }
  const value = quoteLiteral(reached.cursor);
  if (keyValues.length === 0) return `${column} > ${value}`;
  // The first condition repeats what follows from the second, so that an index on the cursor alone is used.
  return `${column} >= ${value} and (${[column, ...key].join(', ')}) > (${[value, ...keyValues].join(', ')})`;
}
