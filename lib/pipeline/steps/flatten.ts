import { type Row, UNCHANGED, type Value } from '../../core/batch';
import type { Column } from '../../core/schema';
import type { ConversionName, TransformationOf } from '../../core/transformations';
import { type Convert, converter, FAILED } from '../convert/converter';
import { eachRow } from '../each-row';
import { type Failure, type Frame, passedOver } from '../frame';
import { JsonPaths, type PathPart, readPath } from '../json-paths';
import type { Slot } from '../layout';
import { type Binding, type BoundStep, fieldOf, type Step, wrong } from '../step';

interface Wanted {
  readonly name: string;
  readonly at: string;
  readonly path: readonly PathPart[];
  readonly type: ConversionName;
}

interface FlatColumn {
  readonly index: number;
  readonly convert: Convert;
  readonly failed: Failure;
}

/** Takes values out of JSON into fields of their own. What is not there is NULL; what is no JSON fails its record. */
export function flatten({ field, columns, keep = true }: TransformationOf<'flatten'>, path: string): Step {
  const wanted = Object.entries(columns).map(([name, given]): Wanted => {
    const { path: text, type } = typeof given === 'string' ? { path: given, type: 'string' as const } : given;
    const at = `columns.${name}`;
    const parts = readPath(text);
    if (parts === undefined)
      throw wrong(`${path}.${at}`, `"${text}" is no path, such as "address.city" or "items[0].id"`);
    return { name, at, path: parts, type };
  });
  const paths = new JsonPaths(wanted.map((column) => column.path));
  return {
    bind(binding) {
      const slot = fieldOf(binding, field, 'field');
      if (slot === undefined) return undefined;
      const { layout, failure } = binding;
      if (slot.column.type !== 'json' && slot.column.type !== 'text') {
        throw wrong(`${binding.path}.field`, `"${field}" holds ${slot.column.type}, and flatten is for JSON`);
      }
      if (!keep && slot.isKey) throw wrong(`${binding.path}.keep`, `"${field}" is part of the key of ${layout.stream}`);
      const broken = failure('is not JSON', slot, 'flatten');
      const made = wanted.map((column) => newColumn(binding, column));
      if (!keep && layout.find(field) === slot && !wanted.some(({ name }) => name === field)) layout.drop(slot);
      return flattening(slot, paths, made, broken);
    },
  };
}

const JSON_COLUMN: Column = { name: '', type: 'json', nullable: true, native: '' };

function newColumn({ layout, path, failure }: Binding, { name, at, type }: Wanted): FlatColumn {
  if (layout.find(name)?.isKey) throw wrong(`${path}.${at}`, `"${name}" is part of the key of ${layout.stream}`);
  const made = converter({ type }, JSON_COLUMN);
  if (made === undefined || typeof made === 'string')
    throw wrong(`${path}.${at}.type`, made ?? `JSON never holds ${type}`);
  const slot = layout.put(name, made.type);
  return {
    index: slot.index,
    convert: made.convert ?? ((value) => value),
    failed: failure(made.problem, slot, 'flatten'),
  };
}

function flattening(source: Slot, paths: JsonPaths, columns: readonly FlatColumn[], broken: Failure): BoundStep {
  const { index } = source;
  return {
    run: (frame) =>
      eachRow(frame, passedOver(undefined), (row, place) => {
        const value = row[index];
        if (value === UNCHANGED) {
          for (const column of columns) row[column.index] = UNCHANGED;
          return;
        }
        const text = value === null || value === undefined ? '' : String(value);
        const isEmpty = text.trim() === '';
        const found = !isEmpty && isJson(text) ? paths.read(text) : undefined;
        if (found === undefined && !isEmpty) frame.fail(place, broken);
        fill(frame, place, row, columns, found ?? []);
      }),
  };
}

function fill(
  frame: Frame,
  place: number,
  row: Row,
  columns: readonly FlatColumn[],
  found: readonly (string | undefined)[],
) {
  for (const [position, { index, convert, failed }] of columns.entries()) {
    const text = found[position];
    const cell: Value | typeof FAILED = text === undefined || text === 'null' ? null : convert(text);
    if (cell === FAILED) {
      row[index] = null;
      frame.fail(place, failed);
    } else row[index] = cell;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // nothing else than text that is no JSON can throw
  }
}
