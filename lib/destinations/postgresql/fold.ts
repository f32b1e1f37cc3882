import { Op, type Row, type RowBatch, UNCHANGED, type Value } from '../../core/batch';
import type { Refusal } from './encode';
import type { Shape } from './shape';

/** Rows and operations with at most one written state of each key, and where each came from. */
export interface Folded {
  readonly rows: Row[];
  readonly ops: Uint8Array;
  /** Places in the batch. */
  readonly origin: readonly number[];
}

interface KeyState {
  row: Row | undefined;
  rowIndex: number;
  partial: boolean;
  deletedBy: number | undefined;
}

/**
 * Joins the changes of each key, so that a cell which one change leaves out is taken from the change before it. Needed
 * only where cells are unchanged; keys are compared as the source wrote them.
 */
export function foldChanges(
  batch: RowBatch,
  shape: Shape,
  keepDeleted: boolean,
  refuse: (refusal: Refusal) => void,
): Folded {
  const states = new Map<string, KeyState>();
  batch.rows.forEach((row, index) => {
    const key = keyText(row, shape);
    const state = states.get(key);
    const op = batch.ops?.[index] ?? Op.Insert;
    if (op === Op.Delete) {
      if (state) state.deletedBy = index;
      else states.set(key, { row: undefined, rowIndex: index, partial: false, deletedBy: index });
      return;
    }
    const joined = join(row, state);
    if (joined === undefined) {
      refuse({ index, reason: 'the change keeps fields of a record that was deleted before it' });
      return;
    }
    states.set(key, { row: joined, rowIndex: index, partial: joined.includes(UNCHANGED), deletedBy: undefined });
  });
  return flatten(states, batch, keepDeleted);
}

function join(row: Row, state: KeyState | undefined): Row | undefined {
  if (!row.includes(UNCHANGED)) return row;
  if (state?.deletedBy !== undefined) return undefined;
  const before = state?.row;
  return before ? row.map((value, place) => (value === UNCHANGED ? (before[place] ?? null) : value)) : row;
}

function flatten(states: ReadonlyMap<string, KeyState>, batch: RowBatch, keepDeleted: boolean): Folded {
  const rows: Row[] = [];
  const ops: number[] = [];
  const origin: number[] = [];
  const add = (row: Row | undefined, op: number, index: number) => {
    if (!row) return;
    rows.push(row);
    ops.push(op);
    origin.push(index);
  };
  for (const { row, rowIndex, partial, deletedBy } of states.values()) {
    if (deletedBy === undefined || keepDeleted) add(row, partial ? Op.Update : Op.Insert, rowIndex);
    if (deletedBy !== undefined) add(batch.rows[deletedBy], Op.Delete, deletedBy);
  }
  return { rows, ops: Uint8Array.from(ops), origin };
}

function keyText(row: Row, shape: Shape): string {
  return shape.key.map((place) => cellText(row[place])).join('\0');
}

function cellText(value: Value | undefined): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return `${typeof value} ${String(value)}`;
}
