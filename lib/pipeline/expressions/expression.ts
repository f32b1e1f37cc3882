import { Environment, EvaluationError, type ParseResult } from '@marcbachmann/cel-js';
import { type Row, UNCHANGED, type Value } from '../../core/batch';
import { nearest } from '../../core/config';
import type { ColumnType } from '../../core/schema';
import type { Layout } from '../layout';
import { listed, wrong } from '../step';
import { equip, LimitExceeded } from './functions';
import { type CelNode, guarded, type Inventory, Refusal } from './guard';
import { Meter } from './meter';
import { CEL_TYPES, SameTime, UNSEEN } from './values';

const LIMITS = { maxAstNodes: 1000, maxDepth: 40, maxListElements: 500, maxMapEntries: 100, maxCallArguments: 8 };

/** The record cannot be judged: an operation does not fit its values. Holds none of them. */
export class Failed {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** An expression over the fields of one shape. */
export interface BoundExpression {
  /** Type of its result in the words of CEL; `dyn` where only the result tells. */
  readonly type: string;
  /**
   * The result for a row, {@link UNCHANGED} when the row lacks a cell that it needs, or {@link Failed}.
   */
  evaluate(row: Row): unknown;
}

interface Used {
  readonly name: string;
  readonly type: ColumnType;
  readonly index: number;
  read(value: Exclude<Value, null | typeof UNCHANGED>): unknown;
}

/** Refuses an expression that could fit no stream. @throws Fault `config`/`invalid_config` */
export function checkSyntax(source: string, path: string): void {
  parsed(source, environment(), path);
}

/**
 * Binds an expression to the fields that are there now; `undefined`, and a note, when it speaks of one that is not.
 * @throws Fault `config`/`invalid_config` naming the place in the expression
 */
export function bindExpression(
  source: string,
  { layout, path, named }: { readonly layout: Layout; readonly path: string; readonly named: boolean },
): BoundExpression | undefined {
  const at = `${path}.expression`;
  const strict = environment();
  const loose = environment();
  const { fields } = parsed(source, environment(), at).inventory;
  const missing = [...fields.keys()].find((name) => layout.read(name) === undefined);
  if (missing !== undefined) {
    const message = unknownField(missing, fields.get(missing)?.[0], layout);
    if (named) throw wrong(at, message);
    layout.notes.push(`${at}: ${message}, so it is left out here`);
    return undefined;
  }
  const used = [...fields.keys()].flatMap((name): Used[] => {
    const slot = layout.read(name);
    if (slot === undefined) return [];
    const type = CEL_TYPES[slot.column.type];
    strict.registerVariable(variable(name), type.name);
    loose.registerVariable(variable(name), 'dyn');
    return [{ name: variable(name), type: slot.column.type, index: slot.index, read: type.read }];
  });
  const meter = new Meter();
  const exact = checked(source, strict, at, meter);
  // The library has no type of values that may be NULL; rows with one are seen without types.
  const withNulls = checked(source, loose, at, meter);
  return {
    type: exact.type,
    evaluate: (row) => evaluate(row, used, exact.program, withNulls.program, meter),
  };
}

function environment(): Environment {
  return equip(new Environment({ limits: LIMITS, homogeneousAggregateLiterals: false }));
}

/** Apart from the names of types and of the library. */
function variable(name: string): string {
  return `field ${name}`;
}

interface Parsed {
  readonly program: ParseResult;
  readonly inventory: Inventory;
}

function parsed(source: string, within: Environment, at: string): Parsed {
  try {
    const program = within.parse(source);
    const inventory = guarded(program.ast as unknown as CelNode);
    for (const [name, nodes] of inventory.fields) for (const node of nodes) node.args = variable(name);
    return { program, inventory };
  } catch (error) {
    throw refused(error, at);
  }
}

function checked(source: string, within: Environment, at: string, meter: Meter): Parsed & { readonly type: string } {
  const made = parsed(source, within, at);
  const { valid, type = 'dyn', error } = made.program.check();
  if (!valid) throw refused(error, at);
  meter.watch(made.inventory);
  return { ...made, type };
}

function refused(error: unknown, at: string): unknown {
  if (error instanceof Refusal) return wrong(at, `at character ${error.position + 1}: ${error.message}`);
  const known = error as { readonly summary?: unknown; readonly range?: { readonly start: number } };
  if (typeof known.summary !== 'string') return error;
  const place = known.range === undefined ? '' : `at character ${known.range.start + 1}: `;
  return wrong(at, `${place}${known.summary.replace(/bounded_/g, '')}`);
}

function unknownField(name: string, node: CelNode | undefined, layout: Layout): string {
  const known = layout.names;
  const near = nearest(name, known);
  const help = near === undefined ? `it has ${listed(known)}` : `did you mean "${near}"?`;
  return `at character ${(node?.start ?? 0) + 1}: ${layout.stream} has no field "${name}"; ${help}`;
}

function evaluate(row: Row, used: readonly Used[], exact: ParseResult, loose: ParseResult, meter: Meter): unknown {
  const cells: { [name: string]: unknown } = Object.create(null);
  let nulls = false;
  for (const { name, index, read } of used) {
    const value = row[index];
    if (value === UNCHANGED) return UNCHANGED;
    if (value === null || value === undefined) {
      cells[name] = null;
      nulls = true;
      continue;
    }
    const seen = read(value);
    if (seen === UNSEEN) return new Failed('a time outside of the years 1 to 9999');
    cells[name] = seen;
  }
  meter.start();
  try {
    const result: unknown = (nulls ? loose : exact)(cells);
    return result instanceof Date ? asCell(result, row, used, cells) : result;
  } catch (error) {
    return new Failed(reasonOf(error, nulls));
  }
}

/** A time as it came, if it is one of the row's own: expressions see only its milliseconds. */
function asCell(result: Date, row: Row, used: readonly Used[], cells: { readonly [name: string]: unknown }): unknown {
  const own = used.find(({ name }) => cells[name] === result);
  return own === undefined ? result : new SameTime(own.type, String(row[own.index]));
}

/** Codes of the library say what was wrong without values, unlike its messages. */
function reasonOf(error: unknown, nulls: boolean): string {
  const hint = nulls ? ' (a field in it is NULL)' : '';
  if (error instanceof LimitExceeded || error instanceof EvaluationError)
    return `${error.code.replaceAll('_', ' ')}${hint}`;
  if (error instanceof RangeError) return 'limit exceeded';
  // Whatever a function of the language throws for a value is that record's failure.
  return `it cannot be evaluated${hint}`;
}
