import type { Row, Value } from '../../core/batch';
import type { ColumnType } from '../../core/schema';
import { emptyProblem, holdsNul, isLarge, isLeftOut, NUL_IN_JSON, type RowProblem, simpleText, whyNot } from './cells';
import { type CopyWriter, Found } from './copy-writer';
import type { Shape } from './shape';

export const TAB = 0x09;
export const NULL = '\\N';
/** The line holds a cell that is sent in pieces. */
export const LARGE: unique symbol = Symbol('large');

/** What became of a line: it was written, cannot be stored, or has to be sent in pieces. */
export type Written = undefined | RowProblem | typeof LARGE;

/** How the cells of a column are written. */
export interface CellPlan {
  readonly name: string;
  readonly type: ColumnType;
  readonly binaryJson: boolean;
  readonly isKey: boolean;
}

/** The plan of each column. */
export function cellPlans(shape: Shape): CellPlan[] {
  return shape.columns.map(({ source, type }, place) => ({
    name: source.name,
    type: source.type,
    binaryJson: type === 'jsonb',
    isKey: shape.key.includes(place),
  }));
}

/** Writes all cells of a row. */
export function writeCells(writer: CopyWriter, plans: readonly CellPlan[], row: Row, op: number): Written {
  if (row.length !== plans.length) {
    return { reason: `the record has ${row.length} fields where ${plans.length} belong` };
  }
  for (let place = 0; place < plans.length; place++) {
    if (place > 0) writer.byte(TAB);
    const written = writeCell(writer, row[place], op, plans[place] as CellPlan);
    if (written !== undefined) return written;
  }
  return undefined;
}

/** Writes a cell, or tells why it cannot be stored. */
export function writeCell(writer: CopyWriter, value: Value | undefined, op: number, plan: CellPlan): Written {
  if (value === undefined) return refused(plan, 'the field has no value, not even an empty one');
  if (isLeftOut(value, op, plan.isKey)) {
    writer.ascii(NULL);
    const problem = emptyProblem(value, op, plan.isKey);
    return problem === undefined ? undefined : refused(plan, problem);
  }
  if (isLarge(value)) return LARGE;
  if (typeof value === 'string') return writeText(writer, value, plan);
  const text = simpleText(value, plan.type);
  if (text === undefined) return refused(plan, whyNot(value, plan.type));
  writer.ascii(text);
  return undefined;
}

function writeText(writer: CopyWriter, value: string, plan: CellPlan): RowProblem | undefined {
  const { type, binaryJson } = plan;
  if (type === 'bool' || type === 'bytes') return refused(plan, whyNot(value, type));
  const found = writer.text(value);
  if (found === Found.Nothing) return undefined;
  if (found !== Found.Backslash) return refused(plan, whyNot(value, type));
  return binaryJson && holdsNul(value) ? refused(plan, NUL_IN_JSON) : undefined;
}

/** Why a field keeps its record from being stored. */
export function refused({ name }: CellPlan, reason: string): RowProblem {
  return { field: name, reason };
}
