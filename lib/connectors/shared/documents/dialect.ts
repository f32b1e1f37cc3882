import type { Value } from '../../../core/batch';
import type { ColumnType } from '../../../core/schema';

/** A document as its fields, in any order. */
export type Fields<V> = Iterable<readonly [name: string, value: V]>;

/** What the columns of a source's documents depend on. */
export interface DocumentDialect<V> {
  /** Begins the `native` types of its columns. */
  readonly name: string;
  /** The type of a column for a value, and what follows the name in its `native`; `undefined` for a null. */
  shapeOf(value: V): readonly [type: ColumnType, native: string] | undefined;
  /** The value as a cell; `undefined` where a column of this type cannot hold it. */
  cell(value: V, type: ColumnType): Value | undefined;
  /** The value as JSON that keeps all digits, and is the same each time it is read. */
  json(value: V): string;
}
