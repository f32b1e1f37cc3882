import { UNCHANGED } from '../core/batch';
import type { Column, StreamSchema } from '../core/schema';
import type { ConversionName } from '../core/transformations';
import { type Convert, converter, FAILED } from './convert/converter';
import { type Failure, type Frame, passedOver } from './frame';
import type { Slot } from './layout';
import type { Binding, BoundStep, Step } from './step';

const RULE = 'schema_changes';

/**
 * Keeps a stream's accepted shape although the source's has changed: a record that holds something in a field that is
 * new, nothing in one that is gone and needed, or a value that is none of the old type, does not fit.
 */
export function keptShape(accepted: StreamSchema): Step {
  return {
    bind(binding) {
      const { layout } = binding;
      const steps: BoundStep[] = [];
      const before = new Map(accepted.columns.map((column) => [column.name, column]));
      for (const slot of layout.fields) {
        const column = before.get(slot.column.name);
        steps.push(...(column === undefined ? newField(binding, slot) : changedField(binding, slot, column)));
      }
      for (const column of accepted.columns) {
        if (layout.find(column.name) === undefined) steps.push(...goneField(binding, column));
      }
      return steps.length === 0 ? undefined : { run: (frame) => steps.forEach((step) => void step.run(frame)) };
    },
  };
}

function newField(binding: Binding, slot: Slot): BoundStep[] {
  const failed = broken(binding, 'is new in the source, and the stream keeps its old shape', slot);
  binding.layout.drop(slot);
  return [cells(slot, failed, (value) => (value === null ? null : FAILED))];
}

function changedField(binding: Binding, slot: Slot, before: Column): BoundStep[] {
  if (slot.column.type === before.type) {
    slot.column = before;
    return [];
  }
  const made = converter({ type: CONVERSION[before.type] ?? 'string', empty: 'fail' }, slot.column);
  const convert: Convert = typeof made === 'object' && made.type === before.type ? (made.convert ?? keep) : fail;
  const failed = broken(binding, `is no ${before.type} any more, and the stream keeps its old shape`, slot);
  slot.column = before;
  return [cells(slot, failed, (value) => (value === null ? null : convert(value)))];
}

function goneField(binding: Binding, column: Column): BoundStep[] {
  const slot = binding.layout.put(column.name, column.type);
  slot.column = column;
  if (column.nullable) return [];
  const failed = broken(binding, 'is gone from the source, and the stream keeps its old shape', slot);
  return [cells(slot, failed, () => FAILED)];
}

/** Never emptied instead: a shape is kept whole. */
function broken({ failure }: Binding, message: string, slot: Slot): Failure {
  const { emptied: _, ...failed } = failure(message, slot, RULE);
  return failed;
}

const keep: Convert = (value) => value;
const fail: Convert = () => FAILED;

const CONVERSION: { readonly [type: string]: ConversionName } = {
  bool: 'boolean',
  int32: 'integer',
  int64: 'bigint',
  float64: 'float',
  decimal: 'decimal',
  text: 'string',
  bytes: 'bytes',
  date: 'date',
  timestamptz: 'datetime',
  uuid: 'uuid',
  json: 'json',
};

function cells(slot: Slot, failed: Failure, change: (value: Parameters<Convert>[0] | null) => ReturnType<Convert>) {
  const skip = passedOver(slot);
  const run = (frame: Frame) => {
    for (const [place, row] of frame.rows.entries()) {
      const value = row[slot.index];
      if (((frame.marks[place] ?? 0) & skip) !== 0 || value === UNCHANGED || value === undefined) continue;
      const changed = change(value);
      if (changed === FAILED) frame.fail(place, failed);
      else row[slot.index] = changed;
    }
  };
  return { run };
}
