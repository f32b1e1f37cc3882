/** The types a value can have on its way; see `Value` for their one form each. */
export type ColumnType =
  | 'bool'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'decimal'
  | 'text'
  | 'bytes'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'json';

/** One column of a stream. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /**
   * The source's own type behind its dialect, such as `postgresql/int4range` or `mysql/year`. A destination of the same
   * dialect may keep the type; the value then has the text form of that type. Enums, domains and composites
   * of a user are named by what is sent (`postgresql/text`), never by a name that only the source knows.
   */
  readonly native: string;
}

/** The shape of one stream. `key` names the columns that identify a row, in order; empty when there are none. */
export interface StreamSchema {
  readonly stream: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
}

/**
 * The column a connector adds, and makes the key, where a stream that is read incrementally has no key of its own:
 * text that is the same each time the same record is read.
 */
export const RECORD_ID = '_explorerio_id';

/**
 * The column of JSON that a connector of documents adds for what no other column holds: fields that its sample did not show,
 * and values of another type than their column.
 */
export const REST = '_explorerio_rest';
