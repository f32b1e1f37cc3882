import { UNCHANGED } from '../../core/batch';
import type { Conversion, ConversionName, TransformationOf } from '../../core/transformations';
import { converter, FAILED, impossible } from '../convert/converter';
import { type Failure, type Frame, passedOver } from '../frame';
import type { Slot } from '../layout';
import { type Binding, type BoundStep, fieldOf, type Step, wrong } from '../step';

/** Turns fields into other types. A value that is none of its new type fails its record, not the run. */
export function dataTypeConversion({ conversions }: TransformationOf<'data_type_conversion'>): Step {
  return {
    bind(binding) {
      const bound = Object.entries(conversions).flatMap(([name, given]) => {
        const slot = fieldOf(binding, name, `conversions.${name}`);
        return slot ? (convertField(binding, slot, optionsOf(given), `conversions.${name}`) ?? []) : [];
      });
      if (bound.length === 0) return undefined;
      return {
        run: (frame) => {
          for (const step of bound) step.run(frame);
        },
      };
    },
  };
}

function optionsOf(given: ConversionName | Conversion): Conversion {
  return typeof given === 'string' ? { type: given } : given;
}

/** Converts one field in place; `undefined` when its values are of that type already. */
export function convertField(binding: Binding, slot: Slot, options: Conversion, at: string): BoundStep | undefined {
  const { layout, path, failure } = binding;
  const made = converter(options, slot.column);
  if (made === undefined) throw wrong(`${path}.${at}`, impossible(slot.column, options.type));
  if (typeof made === 'string') throw wrong(`${path}.${at}`, made);
  layout.retype(slot, made.type);
  const { convert } = made;
  if (convert === undefined) return undefined;
  const failed = failure(made.problem, slot, 'data_type_conversion');
  return { run: (frame) => convertCells(frame, slot, convert, failed) };
}

type Convert = NonNullable<Exclude<ReturnType<typeof converter>, undefined | string>['convert']>;

function convertCells(frame: Frame, slot: Slot, convert: Convert, failed: Failure): void {
  const { rows, marks } = frame;
  const { index, isKey } = slot;
  const skip = passedOver(slot);
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place];
    if (row === undefined || ((marks[place] ?? 0) & skip) !== 0) continue;
    const value = row[index];
    if (value === null || value === undefined || value === UNCHANGED) continue;
    const converted = convert(value);
    if (converted === FAILED || (isKey && converted === null)) frame.fail(place, failed);
    else row[index] = converted;
  }
}
