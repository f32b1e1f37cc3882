/** One index as far as it may be a key; what is no whole column is null. */
export interface KeyIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly columns: readonly (string | null)[];
}

/** An index over whole columns. */
export type WholeIndex = KeyIndex & { readonly columns: readonly string[] };

/** The columns of the best index of a table; none where it has no such index. */
export function bestKey(indexes: readonly KeyIndex[], usable: ReadonlySet<string>): readonly string[] {
  return bestIndex(indexes, usable)?.columns ?? [];
}

/** The primary key, else the unique index with the fewest columns, of those that are made of `usable` alone. */
export function bestIndex(indexes: readonly KeyIndex[], usable: ReadonlySet<string>): WholeIndex | undefined {
  const whole = indexes.flatMap(({ unique, primary, name, columns }) => {
    const own = columns.filter((column): column is string => column !== null && usable.has(column));
    return unique && own.length === columns.length ? [{ unique, primary, name, columns: own }] : [];
  });
  whole.sort(
    (left, right) =>
      Number(right.primary) - Number(left.primary) ||
      left.columns.length - right.columns.length ||
      (left.name < right.name ? -1 : 1),
  );
  return whole[0];
}
