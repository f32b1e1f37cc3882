import type { Value } from '../../../core/batch';
import type { StreamInfo } from '../../../core/connector';
import type { Column } from '../../../core/schema';
import { bound, type Fragment } from './fragment';

/** A column as it is read. A connector adds what its session needs to turn the driver's cell into the value. */
export interface SqlColumn {
  readonly column: Column;
  /** SQL that is selected; the row is called `t`. */
  readonly expression: string;
  /** SQL that rows are compared and ordered by. */
  readonly order: string;
  /** The SQL that gives again the value of which {@link textOf} made this text, to be compared with `order`. */
  bind(text: string): Fragment;
}

/** A table or view as it is read. */
export interface SqlRelation<C extends SqlColumn> {
  /** What `discover` answers; its schema is the shape of the rows. */
  readonly info: StreamInfo;
  /** One per column of the schema, in order. */
  readonly columns: readonly C[];
  /** What stands after FROM, with `t` as the name of the row. */
  readonly source: string;
  /**
   * The columns that a full read goes by: unique, never null, in the order of an index. Mostly those of the key; also what
   * is no column of the schema, as SQLite's rowid. Without any, a read is in one piece, and begins anew when interrupted.
   */
  readonly order: readonly C[];
  /** The order only holds at one moment, as that of Oracle's ROWID: no reading goes on by it at another. */
  readonly momentary?: true;
}

/** The text of a value in a position. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Object.is(value, -0)) return '-0';
  return String(value);
}

/** The usual {@link SqlColumn.bind}: the value as the driver would give it. */
export function boundText({ type }: Pick<Column, 'type'>, text: string): Fragment {
  if (type === 'bool') return bound(text === 'true');
  if (type === 'int32' || type === 'float64') return bound(Number(text));
  if (type === 'int64') return bound(BigInt(text));
  return bound(type === 'bytes' ? Buffer.from(text, 'hex') : text);
}
