import { UNCHANGED, type Value } from '../../core/batch';
import type { ColumnType } from '../../core/schema';
import type { Present } from '../convert/converter';
import { type Failure, type Frame, Mark } from '../frame';
import type { Slot } from '../layout';
import { type Binding, type BoundStep, readField, type Step, wrong } from '../step';

/** Whether a value passes. */
export type Passes = (value: Present) => boolean;

/** What a rule is made of: the check of one type of values, made once per shape. */
export interface CellRule {
  readonly type: string;
  readonly field: string;
  /** NULL and an empty text fail, too. */
  readonly required?: boolean | undefined;
  /** What is wrong with a value that does not pass, as in "is not an email address". */
  readonly problem: string;
  /** `undefined`: the rule means nothing for values of this type. */
  check(type: ColumnType): Passes | undefined;
  /** The types that it is for, for the message. */
  readonly types: string;
}

const SKIPPED = Mark.Broken | Mark.Filtered | Mark.Deleted;

/** A rule that looks at one field. */
export function cellRule(rule: CellRule): Step {
  return {
    bind(binding) {
      const slot = readField(binding, rule.field, 'field');
      if (slot === undefined) return undefined;
      const passes = rule.check(slot.column.type);
      if (passes === undefined) throw wrong(`${binding.path}.field`, unfit(rule, slot));
      return boundRule(binding, rule, slot, passes);
    },
  };
}

function unfit({ type, types }: CellRule, { column }: Slot): string {
  return `"${column.name}" holds ${column.type}, and ${type} is for ${types}; convert the field first`;
}

function boundRule({ failure }: Binding, rule: CellRule, slot: Slot, passes: Passes): BoundStep {
  const failed = failure(rule.problem, slot, rule.type);
  // What must be there cannot be emptied.
  const { emptied: _, ...missing } = failure('is required', slot, rule.type);
  const needed = rule.required === true ? missing : undefined;
  return { run: (frame) => checkCells(frame, slot.index, passes, failed, needed) };
}

function checkCells(frame: Frame, index: number, passes: Passes, failed: Failure, missing: Failure | undefined): void {
  const { rows, marks } = frame;
  for (let place = 0; place < rows.length; place++) {
    if (((marks[place] ?? 0) & SKIPPED) !== 0) continue;
    const value = rows[place]?.[index];
    if (value === UNCHANGED) continue;
    if (missing !== undefined && isEmpty(value)) frame.fail(place, missing);
    else if (value !== null && value !== undefined && !passes(value)) frame.fail(place, failed);
  }
}

function isEmpty(value: Value | undefined): boolean {
  return value === null || value === undefined || value === '';
}
