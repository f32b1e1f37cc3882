import { invalidConfig } from '../core/config';
import type { Reason } from '../core/destination';
import type { FieldIssue } from '../core/fault';
import { type Failure, type Frame, Mark } from './frame';
import type { Layout, Slot } from './layout';

/** A step or rule, bound to one shape. */
export interface BoundStep {
  /** Asks somebody else for what {@link run} will need. */
  prefetch?(frame: Frame): Promise<void>;
  run(frame: Frame): void;
}

/** What a step or rule is bound with. */
export interface Binding {
  readonly layout: Layout;
  /** Path of its configuration, such as `transformations[2]`. */
  readonly path: string;
  /** The stream was named, not only meant with all others: what the step speaks of has to be there. */
  readonly named: boolean;
  /** Prepares a failure of a field; `null_field` empties the field where that can be. */
  failure(message: string, slot: Slot | undefined, rule: string): Failure;
}

/** One step or rule of a document. Its configuration was checked. */
export interface Step {
  /** @throws Fault `config`/`invalid_config`. `undefined`: it does not concern this stream. */
  bind(binding: Binding): BoundStep | undefined;
  /** The records have to be seen by one reader in turn. */
  readonly serial?: true;
}

/** The fault of one wrong place of the configuration. */
export function wrong(path: string, message: string, ...others: readonly FieldIssue[]) {
  return invalidConfig([{ path, message }, ...others]);
}

/** The field that a step reads or changes; where the stream lacks it, a note, or a fault if the stream was named. */
export function fieldOf(binding: Binding, name: string, at: string): Slot | undefined {
  return binding.layout.find(name) ?? lacking(binding, name, at);
}

/** Like {@link fieldOf}, of a field that is read and not changed, unless a failure may empty it. */
export function readField(binding: Binding, name: string, at: string): Slot | undefined {
  return binding.layout.read(name) ?? lacking(binding, name, at);
}

/** Like {@link fieldOf}, of a field that is only moved or left out. */
export function movedField(binding: Binding, name: string, at: string): Slot | undefined {
  return binding.layout.peek(name) ?? lacking(binding, name, at);
}

function lacking({ layout, path, named }: Binding, name: string, at: string): undefined {
  const problem = `${layout.stream} has no field "${name}"; it has ${listed(layout.names)}`;
  if (named) throw wrong(`${path}.${at}`, problem);
  layout.notes.push(`${path}.${at}: this stream has no field "${name}", so it is left as it is`);
  return undefined;
}

const MOST_NAMED = 20;

/** Names, for a message. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).join(', ');
  return names.length > MOST_NAMED ? `${shown} and ${names.length - MOST_NAMED} more` : shown;
}

/** How failures are prepared: `mayEmpty` tells whether a field may be emptied instead. */
export function failures(mark: Failure['mark'], mayEmpty: (slot: Slot) => boolean): Binding['failure'] {
  return (message, slot, rule) => {
    const reason: Reason = { message, ...(slot && { field: slot.column.name }), rule };
    if (slot === undefined || !mayEmpty(slot)) return { reason, mark };
    slot.changes++;
    return { reason, mark, emptied: slot.index };
  };
}

/** Failures of steps, and of rules. */
export const BROKEN: Failure['mark'] = Mark.Broken;
export const INVALID: Failure['mark'] = Mark.Invalid;
