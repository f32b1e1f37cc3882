/** One index as far as it may be a key; what is no whole column is null. */
export interface KeyIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly columns: readonly (string | null)[];
}

/** The columns of the primary key, else of the unique index with the fewest, of those that are made of `usable` alone. */
export function bestKey(indexes: readonly KeyIndex[], usable: ReadonlySet<string>): readonly string[] {
  const whole = indexes.flatMap(({ unique, primary, name, columns }) => {
    const own = columns.filter((column): column is string => column !== null && usable.has(column));
    return unique && own.length === columns.length ? [{ primary, name, columns: own }] : [];
  });
  whole.sort(
    (left, right) =>
      Number(right.primary) - Number(left.primary) ||
      left.columns.length - right.columns.length ||
      (left.name < right.name ? -1 : 1),
  );
  return whole[0]?.columns ?? [];
}
