import type { ValidationRuleOf } from '../../core/validation-rules';
import { Mark } from '../frame';
import { readField, type Step } from '../step';

const SKIPPED = Mark.Broken | Mark.Filtered | Mark.Deleted;

/** Not NULL; an empty text passes. */
export function notNull({ field }: ValidationRuleOf<'not_null'>): Step {
  return {
    bind(binding) {
      const slot = readField(binding, field, 'field');
      if (slot === undefined) return undefined;
      const { emptied: _, ...missing } = binding.failure('is NULL', slot, 'not_null');
      return {
        run(frame) {
          const { rows, marks } = frame;
          for (let place = 0; place < rows.length; place++) {
            if (((marks[place] ?? 0) & SKIPPED) === 0 && rows[place]?.[slot.index] === null) frame.fail(place, missing);
          }
        },
      };
    },
  };
}
