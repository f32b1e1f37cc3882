import type { ValidationRuleOf } from '../../core/validation-rules';
import type { Step } from '../step';
import { cellRule, type Passes } from './cells';

const SURROGATE = /[\ud800-\udfff]/;

/** How many characters a text has, or bytes; both bounds included. */
export function length({ field, required, min = 0, max = Number.POSITIVE_INFINITY }: ValidationRuleOf<'length'>): Step {
  const fits = (size: number) => size >= min && size <= max;
  const ofText: Passes = (value) => fits(characters(String(value)));
  const ofBytes: Passes = (value) => value instanceof Uint8Array && fits(value.length);
  return cellRule({
    type: 'length',
    field,
    required,
    problem: max === Number.POSITIVE_INFINITY ? `is shorter than ${min}` : `is not of length ${min} to ${max}`,
    types: 'text and bytes',
    check: (type) => (type === 'text' || type === 'json' ? ofText : type === 'bytes' ? ofBytes : undefined),
  });
}

function characters(text: string): number {
  return SURROGATE.test(text) ? [...text].length : text.length;
}
