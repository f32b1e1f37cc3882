import { nearest } from '../../core/config';
import { compileRe2 } from '../re2';
import { ARRIVED, FUNCTIONS, GROWING, LOOPS, METHODS } from './functions';

/** A node of the library's syntax tree. What is changed in it is pinned by the tests of this folder. */
export interface CelNode {
  readonly op: string;
  args: unknown;
  readonly pos: number;
  readonly start: number;
  readonly end: number;
  /** Set by the type check. */
  handle?: (...given: readonly unknown[]) => unknown;
  setMeta(key: string, value: unknown): unknown;
}

/** What is wrong with an expression, and where: characters from its start. */
export class Refusal extends Error {
  readonly position: number;

  constructor(position: number, message: string) {
    super(message);
    this.position = position;
  }
}

/** What an expression is made of. */
export interface Inventory {
  /** Fields by the name in the expression. */
  readonly fields: ReadonlyMap<string, readonly CelNode[]>;
  /** Operations that are done again and again, once an element of a list. */
  readonly looped: readonly CelNode[];
  /** Operations that may give more than they were given. */
  readonly growing: readonly CelNode[];
}

const FIELD_ACCESS = new Set(['.', '.?', '[?]']);

interface Scope {
  readonly bound: ReadonlySet<string>;
  readonly looped: boolean;
}

/**
 * Lets nothing but known functions pass, no loop within another, and no regular expression that is not written out, and
 * directs what the library leaves unbounded to our own functions.
 * @throws Refusal
 */
export function guarded(root: CelNode): Inventory {
  const walk = new Walk();
  walk.visit(root, { bound: new Set(), looped: false });
  return walk;
}

class Walk implements Inventory {
  readonly fields = new Map<string, CelNode[]>();
  readonly looped: CelNode[] = [];
  readonly growing: CelNode[] = [];

  visit(node: CelNode, scope: Scope): void {
    if (scope.looped && node.op !== 'value' && node.op !== 'id') this.looped.push(node);
    if (node.op === 'id') this.#name(node, scope);
    else if (node.op === 'call') this.#call(node, scope);
    else if (node.op === 'rcall') this.#method(node, scope);
    else if (FIELD_ACCESS.has(node.op)) {
      throw new Refusal(node.pos, 'a value has no fields here; take JSON apart with "flatten" first');
    } else if (node.op !== 'value') {
      if (GROWING.has(node.op)) this.growing.push(node);
      if (node.op === '?:') typeless(node);
      for (const child of nodesIn(node.args)) this.visit(child, scope);
    }
  }

  #name(node: CelNode, { bound }: Scope): void {
    const name = String(node.args);
    if (bound.has(name)) return;
    this.fields.set(name, [...(this.fields.get(name) ?? []), node]);
  }

  #call(node: CelNode, scope: Scope): void {
    const [name, given] = node.args as [string, readonly CelNode[]];
    if (!FUNCTIONS.has(name)) throw new Refusal(node.start, unknown(`function "${name}"`, name, FUNCTIONS));
    if (name === 'duration' && given[0]?.op !== 'value') {
      throw new Refusal(node.start, 'the text of duration() must be written out');
    }
    if (GROWING.has(name)) this.growing.push(node);
    for (const child of given) this.visit(child, scope);
  }

  #method(node: CelNode, scope: Scope): void {
    const parts = node.args as [string, CelNode, readonly CelNode[]];
    const [name, receiver, given] = parts;
    if (LOOPS.has(name)) {
      this.#loop(node, receiver, given, scope);
      return;
    }
    const arity = METHODS.get(name);
    if (arity === undefined) {
      throw new Refusal(receiver.end + 1, unknown(`method "${name}"`, name, [...METHODS.keys(), ...LOOPS]));
    }
    if (given.length > arity) throw new Refusal(receiver.end + 1, `"${name}" takes at most ${arity} arguments here`);
    if (GROWING.has(name)) this.growing.push(node);
    if (name === 'matches') checkPattern(given[0], receiver.end + 1);
    for (const child of [receiver, ...given]) this.visit(child, scope);
    parts[0] = ARRIVED.get(name) ?? name;
  }

  #loop(node: CelNode, receiver: CelNode, [variable, ...body]: readonly CelNode[], scope: Scope): void {
    const [name] = node.args as [string];
    if (scope.looped) throw new Refusal(receiver.end + 1, `"${name}" within another loop is not allowed`);
    this.visit(receiver, scope);
    const inner = { bound: new Set([...scope.bound, String(variable?.args)]), looped: true };
    for (const child of body) this.visit(child, inner);
  }
}

/** The library wants both branches to be of one type; NULL belongs to every one. */
function typeless(node: CelNode): void {
  const [, ...branches] = node.args as readonly CelNode[];
  for (const branch of branches) {
    if (branch.op === 'value' && branch.args === null) {
      branch.setMeta('check', (checker: { readonly dynType: unknown }) => checker.dynType);
    }
  }
}

function checkPattern(pattern: CelNode | undefined, position: number): void {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    throw new Refusal(position, 'the regular expression of matches() must be written out');
  }
  const compiled = compileRe2(pattern.args);
  if (typeof compiled === 'string') throw new Refusal(pattern.start, compiled);
}

function* nodesIn(args: unknown): Generator<CelNode> {
  if (Array.isArray(args)) for (const part of args) yield* nodesIn(part);
  else if (typeof args === 'object' && args !== null && 'op' in args) yield args as CelNode;
}

function unknown(what: string, name: string, known: Iterable<string>): string {
  const near = nearest(name, [...known]);
  return `there is no ${what}${near === undefined ? '' : `; did you mean "${near}"?`}`;
}
