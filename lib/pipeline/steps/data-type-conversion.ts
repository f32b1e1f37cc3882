import { UNCHANGED, type Value } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { Conversion, ConversionName, TransformationOf } from '../../core/transformations';
import { type Convert, type Converter, converter, FAILED, impossible, type Present } from '../convert/converter';
import { type Failure, type Frame, passedOver } from '../frame';
import { isLastChange, isReadAfter, type Slot } from '../layout';
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
  const isFirst = slot.changes === 1;
  layout.retype(slot, made.type);
  const { convert, isPlain } = made;
  if (convert === undefined) return undefined;
  const failed = failure(made.problem, slot, 'data_type_conversion');
  const run: BoundStep['run'] = (frame) => convertCells(frame, slot, convert, failed);
  return isFirst && isPlain ? { run: leavingText(slot, convert, isPlain, run) } : { run };
}

/** Cells of a batch that are all plain stay text where it is one; they are converted only for steps that look at them. */
function leavingText(slot: Slot, convert: Convert, isPlain: IsPlain, run: BoundStep['run']): BoundStep['run'] {
  slot.conversion = { convert: (value) => convertPlain(convert, value), changes: slot.changes, reads: slot.reads };
  return (frame) => {
    const staysText = frame.text !== undefined && isLastChange(slot) && areAllPlain(frame, slot, isPlain);
    if (staysText) frame.asWritten.add(slot.index);
    if (!staysText || isReadAfter(slot)) run(frame);
  };
}

type IsPlain = NonNullable<Converter['isPlain']>;

function convertPlain(convert: Convert, value: Present): Value {
  const converted = convert(value);
  if (converted === FAILED) throw new Fault('bug', 'plain_text', 'converting a plain text failed');
  return converted;
}

function areAllPlain({ rows, marks }: Frame, slot: Slot, isPlain: IsPlain): boolean {
  const { index } = slot;
  const skip = passedOver(slot);
  for (let place = 0; place < rows.length; place++) {
    const value = rows[place]?.[index];
    if (typeof value === 'string' ? !isPlain(value) && ((marks[place] ?? 0) & skip) === 0 : value !== null)
      return false;
  }
  return true;
}

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
