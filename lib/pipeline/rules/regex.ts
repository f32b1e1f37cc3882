import type { ValidationRuleOf } from '../../core/validation-rules';
import { compileRe2 } from '../re2';
import { type Step, wrong } from '../step';
import { cellRule } from './cells';

/** A regular expression that matches the whole text; by RE2, which no text can make slow. */
export function regex({ field, required, pattern }: ValidationRuleOf<'regex'>, path: string): Step {
  const compiled = compileRe2(pattern);
  if (typeof compiled === 'string') throw wrong(`${path}.pattern`, compiled);
  return cellRule({
    type: 'regex',
    field,
    required,
    problem: 'does not match the pattern',
    types: 'text, numbers, booleans, dates and UUIDs',
    check: (type) => (type === 'bytes' ? undefined : (value) => compiled.matches(String(value))),
  });
}
