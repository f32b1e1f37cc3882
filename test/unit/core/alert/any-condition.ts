import fc from 'fast-check';
import type { Comparison, Condition } from '../../../../lib/core/alert/condition';
import { IDENTIFIER_NAMES, identifier } from '../../../../lib/core/alert/identifiers';

/** Comparisons about a moment. */
const comparison = fc
  .constantFrom(...IDENTIFIER_NAMES.filter((name) => identifier(name).scope === 'state'))
  .chain((name): fc.Arbitrary<Comparison> => {
    const { type, words = [] } = identifier(name);
    if (type === 'word') {
      return fc.record({
        name: fc.constant(name),
        operator: fc.constantFrom('==', '!='),
        value: fc.constantFrom(...words),
      });
    }
    const value =
      type === 'share'
        ? fc.nat(1_000_000).map((millionths) => millionths / 1e6)
        : fc.integer({ min: 0, max: 1_000_000_000 });
    return fc.record({ name: fc.constant(name), operator: fc.constantFrom('==', '!=', '<', '<=', '>', '>='), value });
  });

/** Conditions about a moment, as the parser makes them: `and` and `or` have at least two parts. */
export const anyCondition: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    comparison.map((leaf): Condition => ({ kind: 'leaf', leaf })),
    tie('condition').map((of): Condition => ({ kind: 'not', of })),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('condition'), { minLength: 2, maxLength: 3 }),
    }),
  ),
})).condition;
