/** Leaves that are joined by and, or and not. */
export type Expression<Leaf> =
  | { readonly kind: 'leaf'; readonly leaf: Leaf }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Expression<Leaf>[] }
  | { readonly kind: 'not'; readonly of: Expression<Leaf> };

/** The same expression with other leaves. */
export function mapLeaves<From, To>(expression: Expression<From>, map: (leaf: From) => To): Expression<To> {
  if (expression.kind === 'leaf') return { kind: 'leaf', leaf: map(expression.leaf) };
  if (expression.kind === 'not') return { kind: 'not', of: mapLeaves(expression.of, map) };
  return { kind: expression.kind, of: expression.of.map((part) => mapLeaves(part, map)) };
}

/** All leaves, from left to right. */
export function leavesOf<Leaf>(expression: Expression<Leaf>): readonly Leaf[] {
  if (expression.kind === 'leaf') return [expression.leaf];
  if (expression.kind === 'not') return leavesOf(expression.of);
  return expression.of.flatMap((part) => leavesOf(part));
}

/** Whether it is true, where `test` says it of the leaves. */
export function isTrue<Leaf>(expression: Expression<Leaf>, test: (leaf: Leaf) => boolean): boolean {
  if (expression.kind === 'leaf') return test(expression.leaf);
  if (expression.kind === 'not') return !isTrue(expression.of, test);
  return expression.kind === 'and'
    ? expression.of.every((part) => isTrue(part, test))
    : expression.of.some((part) => isTrue(part, test));
}
