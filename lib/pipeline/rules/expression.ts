import { UNCHANGED } from '../../core/batch';
import type { ValidationRuleOf } from '../../core/validation-rules';
import { eachRow } from '../each-row';
import { bindExpression, checkSyntax, Failed } from '../expressions/expression';
import { failedExpression } from '../expressions/failure';
import { mustBeBool } from '../expressions/types';
import { Mark } from '../frame';
import { fieldOf, type Step } from '../step';

const SKIPPED = Mark.Broken | Mark.Filtered | Mark.Deleted;

/** An expression that must be true. An update that does not hold what it looks at passes. */
export function expression(
  { field, expression: source, message = `is not true: ${source}` }: ValidationRuleOf<'expression'>,
  path: string,
): Step {
  checkSyntax(source, `${path}.expression`);
  return {
    bind(binding) {
      const slot = field === undefined ? undefined : fieldOf(binding, field, 'field');
      if (field !== undefined && slot === undefined) return undefined;
      const bound = bindExpression(source, binding);
      if (bound === undefined) return undefined;
      mustBeBool(bound.type, `${binding.path}.expression`);
      const untrue = binding.failure(message, slot, 'expression');
      const failed = failedExpression(binding, slot, 'expression');
      return {
        run(frame) {
          eachRow(frame, SKIPPED, (row, place) => {
            const result = bound.evaluate(row);
            if (result instanceof Failed) frame.fail(place, failed(result));
            else if (result !== true && result !== UNCHANGED) frame.fail(place, untrue);
          });
        },
      };
    },
  };
}
