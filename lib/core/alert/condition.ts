import { nearest } from '../config';
import { type Expression, isTrue, leavesOf, mapLeaves } from './expression';
import { IDENTIFIER_NAMES, type Identifier, type IdentifierName, identifier, isIdentifier } from './identifiers';
import { parseLengthOfTime, printLengthOfTime } from './length-of-time';
import { type Operator, parseStructure, type WrittenComparison } from './parse';
import { type ConditionProblem, invalidCondition } from './problem';
import type { Token } from './tokens';

/** A comparison of an identifier with a value of its type; lengths of time are seconds. */
export interface Comparison {
  readonly name: IdentifierName;
  readonly operator: Operator;
  readonly value: number | string;
}

/** A condition whose names and types are right. */
export type Condition = Expression<Comparison>;

/** What is known at one moment; lengths of time are seconds. */
export type Sample = { readonly [Name in IdentifierName]?: number | string | undefined };

const MIRRORED: { readonly [operator in Operator]: Operator } = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** Reads a condition such as `connection_status == 'failed' or last_sync_age > '2h'`. @throws Fault `config`/`invalid_config` with each mistake */
export function parseCondition(text: string): Condition {
  const structure = parseStructure(text);
  const problems: ConditionProblem[] = [];
  const condition = mapLeaves(structure, (written) => checked(written, problems));
  problems.push(...mixedScopes(structure));
  if (problems.length > 0) throw invalidCondition(text, problems);
  return condition;
}

function checked({ left, operator, right }: WrittenComparison, problems: ConditionProblem[]): Comparison {
  const [name, value, asked] =
    left.kind === 'name' ? [left, right, operator] : ([right, left, MIRRORED[operator]] as const);
  const comparison = { name: name.text as IdentifierName, operator: asked, value: value.text };
  if (name.kind !== 'name') {
    problems.push({ at: left.at, message: 'two values are compared; one side must be a name' });
  } else if (!isIdentifier(name.text)) {
    problems.push({ at: name.at, message: unknownName(name.text) });
  } else {
    const known = identifier(name.text);
    const found = readValue(name.text, known, asked, value);
    if (typeof found === 'object') problems.push(found);
    else return { ...comparison, value: found };
  }
  return comparison;
}

function unknownName(name: string): string {
  const near = nearest(name, IDENTIFIER_NAMES);
  return near === undefined
    ? `unknown name "${name}"; known are ${IDENTIFIER_NAMES.join(', ')}`
    : `unknown name "${name}"; did you mean "${near}"?`;
}

function readValue(
  name: string,
  known: Identifier,
  operator: Operator,
  token: Token,
): number | string | ConditionProblem {
  const wrong = (message: string) => ({ at: token.at, message });
  if (token.kind === 'name') {
    if (known.words?.includes(token.text)) return wrong(`put the word into quotes: '${token.text}'`);
    return wrong(
      `${name} must be compared with ${exampleOf(known)}, not with ${isIdentifier(token.text) ? 'another name' : `"${token.text}"`}`,
    );
  }
  if (known.type === 'word') return wordOf(name, known, operator, token, wrong);
  if (known.type === 'duration') {
    const seconds = token.kind === 'text' ? parseLengthOfTime(token.text) : undefined;
    if (seconds !== undefined) return seconds;
    if (token.kind === 'number') return wrong(`${name} is a length of time: write '2h', '90m' or '${token.text}s'`);
    return wrong(`'${token.text}' is no length of time; write '2h', '90m', '1d' or '1h30m'`);
  }
  if (token.kind !== 'number') return wrong(`${name} is a number: write ${exampleOf(known)} without quotes`);
  const number = Number(token.text);
  if (known.type === 'share' && number > 1) {
    return wrong(`${name} is a share from 0 to 1: write 0.05 for 5 %`);
  }
  return number;
}

function wordOf(
  name: string,
  { words = [] }: Identifier,
  operator: Operator,
  token: Token,
  wrong: (message: string) => ConditionProblem,
): string | ConditionProblem {
  if (token.kind === 'text' && words.includes(token.text)) {
    return operator === '==' || operator === '!=' ? token.text : wrong(`${name} is a word: compare it with == or !=`);
  }
  const near = nearest(token.text, words);
  const meant =
    near === undefined ? `it is one of ${words.map((one) => `'${one}'`).join(', ')}` : `did you mean '${near}'?`;
  return wrong(`${name} is never ${token.kind === 'text' ? `'${token.text}'` : token.text}; ${meant}`);
}

function exampleOf({ type, words = [] }: Identifier): string {
  if (type === 'word') return `'${words[0] ?? ''}'`;
  if (type === 'duration') return `a length of time such as '2h'`;
  return type === 'share' ? 'a share such as 0.05' : 'a number such as 100';
}

/** A moment and a length of time have no common clock: no alarm can watch both. */
function mixedScopes(structure: Expression<WrittenComparison>): ConditionProblem[] {
  const names = leavesOf(structure)
    .flatMap(({ left, right }) => [left, right])
    .filter((token) => token.kind === 'name' && isIdentifier(token.text));
  const ofScope = (scope: Identifier['scope']) =>
    names.find(({ text }) => isIdentifier(text) && identifier(text).scope === scope);
  const [state, window] = [ofScope('state'), ofScope('window')];
  if (state === undefined || window === undefined) return [];
  return [
    {
      at: Math.max(state.at, window.at),
      message: `${window.text} is about a length of time and ${state.text} about a moment; make two alerts of it`,
    },
  ];
}

/** The names that a condition uses, each once. */
export function namesOf(condition: Condition): readonly IdentifierName[] {
  return [...new Set(leavesOf(condition).map(({ name }) => name))];
}

/** Whether a condition is about what runs did within a length of time, not about how things stand. */
export function isWindow(condition: Condition): boolean {
  return namesOf(condition).some((name) => identifier(name).scope === 'window');
}

/**
 * What it means when there is no data. An age that nobody tells any more is as bad as one that is too high; of everything
 * else nothing is known. A condition that also uses what comes with the first run only says nothing before.
 */
export function missingBreaches(condition: Condition): boolean {
  const names = namesOf(condition);
  return names.includes('last_sync_age') && names.every((name) => identifier(name).always);
}

/** Whether a condition holds; `undefined` where a value that it needs is not known. */
export function holds(condition: Condition, sample: Sample): boolean | undefined {
  if (namesOf(condition).some((name) => sample[name] === undefined)) return undefined;
  return isTrue(condition, ({ name, operator, value }) => compare(sample[name] ?? Number.NaN, operator, value));
}

/** Compares two values of one type. */
export function compare(left: number | string, operator: Operator, right: number | string): boolean {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}

/** The condition as text, with no more parentheses than it needs. */
export function printCondition(condition: Condition): string {
  if (condition.kind === 'leaf') {
    const { name, operator, value } = condition.leaf;
    return `${name} ${operator} ${printValue(name, value)}`;
  }
  if (condition.kind === 'not') {
    const inner = printCondition(condition.of);
    return `not ${condition.of.kind === 'and' || condition.of.kind === 'or' ? `(${inner})` : inner}`;
  }
  const parts = condition.of.map((part) => {
    const isLooser = part.kind === condition.kind || (part.kind === 'or' && condition.kind === 'and');
    return isLooser ? `(${printCondition(part)})` : printCondition(part);
  });
  return parts.join(` ${condition.kind} `);
}

function printValue(name: IdentifierName, value: number | string): string {
  if (typeof value === 'string') return `'${value}'`;
  return identifier(name).type === 'duration' ? `'${printLengthOfTime(value)}'` : String(value);
}
