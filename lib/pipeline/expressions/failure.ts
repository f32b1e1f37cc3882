import type { Failure } from '../frame';
import type { Slot } from '../layout';
import type { Binding } from '../step';
import type { Failed } from './expression';

/** Prepares the failures of one expression; there are few different ones. */
export function failedExpression(
  { failure }: Binding,
  slot: Slot | undefined,
  rule: string,
): (result: Failed) => Failure {
  const known = new Map<string, Failure>();
  return ({ reason }) => {
    const made = known.get(reason) ?? failure(`expression failed: ${reason}`, slot, rule);
    known.set(reason, made);
    return made;
  };
}
