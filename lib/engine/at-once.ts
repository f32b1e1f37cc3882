/** Does `work` for each item, for so many at the same time, and gives the results in the order of the items. */
export async function someAtOnce<T, R>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (let first = 0; first < items.length; first += most) {
    results.push(...(await Promise.all(items.slice(first, first + most).map(work))));
  }
  return results;
}
