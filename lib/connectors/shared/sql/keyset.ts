import { type Fragment, joined, sql } from './fragment';
import type { SqlColumn } from './relation';

/** The condition of rows that come after the row with these values, in the order of the columns. */
export function comesAfter(columns: readonly SqlColumn[], texts: readonly string[], comparesRows: boolean): Fragment {
  const values = columns.map((column, index) => column.bind(texts[index] ?? ''));
  const [first] = columns;
  const [value] = values;
  if (first === undefined || value === undefined) return sql`1 = 1`;
  if (columns.length === 1) return sql`${first.order} > ${value}`;
  // What follows from the rest is said first, so that an index on the first column alone is used.
  return sql`${first.order} >= ${value} and ${comparesRows ? wholeRow(columns, values) : oneByOne(columns, values)}`;
}

function wholeRow(columns: readonly SqlColumn[], values: readonly Fragment[]): Fragment {
  return sql`(${columns.map(({ order }) => order).join(', ')}) > (${joined(values, ', ')})`;
}

// (a > 1 or (a = 1 and (b > 2 or (b = 2 and c > 3))))
function oneByOne(columns: readonly SqlColumn[], values: readonly Fragment[]): Fragment {
  const [column, ...others] = columns;
  const [value, ...otherValues] = values;
  if (column === undefined || value === undefined) return sql`1 = 1`;
  const greater = sql`${column.order} > ${value}`;
  if (others.length === 0) return greater;
  return sql`(${greater} or (${column.order} = ${value} and ${oneByOne(others, otherValues)}))`;
}

/** All conditions at once; none is always true. */
export function where(conditions: readonly Fragment[]): Fragment {
  return conditions.length === 0 ? sql`` : sql` where ${joined(conditions, ' and ')}`;
}
