import { UNCHANGED } from '../../core/batch';
import type { TransformationOf } from '../../core/transformations';
import { eachRow } from '../each-row';
import { bindExpression, checkSyntax, Failed } from '../expressions/expression';
import { failedExpression } from '../expressions/failure';
import { mustBeBool } from '../expressions/types';
import { passedOver } from '../frame';
import type { Step } from '../step';

/**
 * Leaves out the records for which an expression is not true. A deletion passes, as does an update that does not hold
 * what the expression looks at: its record was judged when it came.
 */
export function filter({ expression }: TransformationOf<'filter'>, path: string): Step {
  checkSyntax(expression, `${path}.expression`);
  return {
    bind(binding) {
      const bound = bindExpression(expression, binding);
      if (bound === undefined) return undefined;
      mustBeBool(bound.type, `${binding.path}.expression`);
      const failed = failedExpression(binding, undefined, 'filter');
      const skip = passedOver(undefined);
      return {
        run(frame) {
          eachRow(frame, skip, (row, place) => {
            const result = bound.evaluate(row);
            if (result instanceof Failed) frame.fail(place, failed(result));
            else if (result !== true && result !== UNCHANGED) frame.filter(place);
          });
        },
      };
    },
  };
}
