import { type Row, UNCHANGED, type Value } from '../../core/batch';
import type { ColumnType } from '../../core/schema';
import type { ConversionName, TransformationOf } from '../../core/transformations';
import { type Convert, type Converter, converter, FAILED } from '../convert/converter';
import { eachRow } from '../each-row';
import { type BoundExpression, bindExpression, checkSyntax, Failed } from '../expressions/expression';
import { failedExpression } from '../expressions/failure';
import { cellOf, resultType } from '../expressions/values';
import { passedOver } from '../frame';
import { type Step, wrong } from '../step';

/** Calculates a field. An update that does not hold what the expression looks at leaves the field as it is stored. */
export function expression({ field, expression: source, as }: TransformationOf<'expression'>, path: string): Step {
  checkSyntax(source, `${path}.expression`);
  return {
    bind(binding) {
      const { layout, failure } = binding;
      const bound = bindExpression(source, binding);
      if (bound === undefined) return undefined;
      if (layout.find(field)?.isKey) {
        throw wrong(`${binding.path}.field`, `"${field}" is part of the key of ${layout.stream}`);
      }
      const { type, convert } = resultConverter(bound.type, field, as, binding.path);
      const slot = layout.put(field, type);
      const failed = failedExpression(binding, slot, 'expression');
      const unfit = failure(`the result of the expression is no ${as}`, slot, 'expression');
      const skip = passedOver(slot);
      return {
        run(frame) {
          eachRow(frame, skip, (row, place) => {
            const cell = calculated(bound, row, convert);
            if (cell instanceof Failed) frame.fail(place, failed(cell));
            else if (cell === FAILED) frame.fail(place, unfit);
            else row[slot.index] = cell;
          });
        },
      };
    },
  };
}

type ConvertResult = (type: ColumnType, value: Parameters<Convert>[0]) => Value | typeof FAILED;

function calculated(bound: BoundExpression, row: Row, convert: ConvertResult): Value | typeof FAILED | Failed {
  const result = bound.evaluate(row);
  if (result === null || result === UNCHANGED) return result;
  if (result instanceof Failed) return result;
  const cell = cellOf(result);
  return cell === undefined ? FAILED : convert(cell.type, cell.value);
}

/** Converts results of whatever type; what can be known of the type is checked here. */
function resultConverter(cel: string, name: string, as: ConversionName, path: string) {
  const known = resultType(cel);
  if (known === 'unfit') throw wrong(`${path}.expression`, `it gives ${cel}, which no field can hold`);
  const made = new Map<ColumnType, Converter | string | undefined>();
  const converterOf = (type: ColumnType) => {
    if (!made.has(type)) made.set(type, converter({ type: as }, { name, type, nullable: true, native: '' }));
    return made.get(type);
  };
  const own = converterOf(known ?? 'text') ?? 'it cannot become that';
  if (typeof own === 'string') throw wrong(`${path}.as`, `the expression gives ${cel}, no ${as}: ${own}`);
  const convert: ConvertResult = (type, value) => {
    const one = converterOf(type);
    if (one === undefined || typeof one === 'string') return FAILED;
    return one.convert === undefined ? value : one.convert(value);
  };
  return { type: own.type, convert };
}
