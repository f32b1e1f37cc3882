import type { ValidationRuleOf } from '../../core/validation-rules';
import { type Convert, converter, FAILED } from '../convert/converter';
import { readField, type Step, wrong } from '../step';
import { cellRule } from './cells';

/** Readable as another type, without being changed. */
export function type({ field, required, is }: ValidationRuleOf<'type'>): Step {
  return {
    bind(binding) {
      const slot = readField(binding, field, 'field');
      if (slot === undefined) return undefined;
      const made = converter({ type: is, empty: 'fail' }, slot.column);
      if (made === undefined || typeof made === 'string') {
        throw wrong(`${binding.path}.is`, made ?? `"${field}" holds ${slot.column.type}, which is never ${is}`);
      }
      const convert: Convert = made.convert ?? ((value) => value);
      return cellRule({
        type: 'type',
        field,
        required,
        problem: made.problem,
        types: 'any type',
        check: () => (value) => convert(value) !== FAILED,
      }).bind(binding);
    },
  };
}
