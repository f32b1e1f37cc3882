import type { ValidationRuleOf } from '../../core/validation-rules';
import type { Step } from '../step';
import { cellRule } from './cells';

/** Something is there: neither NULL nor an empty text. */
export function required({ field }: ValidationRuleOf<'required'>): Step {
  return cellRule({
    type: 'required',
    field,
    required: true,
    problem: 'is required',
    types: 'any type',
    check: () => () => true,
  });
}
