import { type Fragment, sql } from './fragment';
import { comesAfter, where } from './keyset';
import type { SqlColumn } from './relation';

/** A range of a relation, read in the order of its key. */
export interface Range<C extends SqlColumn> {
  /** What stands after FROM. */
  readonly from: string;
  readonly columns: readonly C[];
  /** Some of the columns. */
  readonly order: readonly C[];
  /** Conditions on the first column of the order. */
  readonly lower: Fragment | undefined;
  readonly upper: Fragment | undefined;
  /** Where it goes on: the texts of the last row, one per column of the order. */
  readonly last: readonly string[] | undefined;
}

/** The query of a range that selects this. */
export function rangeSql<C extends SqlColumn>(range: Range<C>, selection: string, comparesRows: boolean): Fragment {
  const { from, order, lower, upper, last } = range;
  const after = last && comesAfter(order, last, comparesRows);
  const all = [lower, upper, after].filter((condition) => condition !== undefined);
  return sql`select ${selection} from ${from}${where(all)} order by ${order.map((column) => column.order).join(', ')}`;
}
