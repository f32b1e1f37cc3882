import type { ColumnType } from '../../core/schema';
import type { TransformationOf } from '../../core/transformations';
import { passedOver } from '../frame';
import { type Step, wrong } from '../step';

/** Gives every record the same value in a field. */
export function constant({ field, value }: TransformationOf<'constant'>): Step {
  return {
    bind({ layout, path }) {
      if (layout.find(field)?.isKey) throw wrong(`${path}.field`, `"${field}" is part of the key of ${layout.stream}`);
      const slot = layout.put(field, typeOf(value));
      const { index } = slot;
      const skip = passedOver(slot);
      return {
        run({ rows, marks }) {
          for (let place = 0; place < rows.length; place++) {
            const row = rows[place];
            if (row !== undefined && ((marks[place] ?? 0) & skip) === 0) row[index] = value;
          }
        },
      };
    },
  };
}

function typeOf(value: string | number | boolean): ColumnType {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'bool';
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 'int32' : 'float64';
}
