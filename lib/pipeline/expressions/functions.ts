import type { Environment } from '@marcbachmann/cel-js';
import { compileRe2 } from '../re2';

/** Functions that an expression may call. What reads a clock, a zone or the host is none of them. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  'size',
  'string',
  'int',
  'uint',
  'double',
  'bool',
  'bytes',
  'timestamp',
  'duration',
  'dyn',
]);

/** Macros that look at each element of a list. */
export const LOOPS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** Methods, and how many arguments they take at most. Those of times take no zone: the library asks the host's. */
export const METHODS: ReadonlyMap<string, number> = new Map([
  ['size', 0],
  ['startsWith', 1],
  ['endsWith', 1],
  ['contains', 1],
  ['matches', 1],
  ['lowerAscii', 0],
  ['upperAscii', 0],
  ['trim', 0],
  ['indexOf', 2],
  ['lastIndexOf', 2],
  ['substring', 2],
  ['split', 1],
  ['join', 1],
  ['hex', 0],
  ['base64', 0],
  ...['FullYear', 'Month', 'Date', 'DayOfMonth', 'DayOfWeek', 'Hours', 'Minutes', 'Seconds', 'Milliseconds'].map(
    (part): [string, number] => [`get${part}`, 0],
  ),
]);

/** Methods that are ours: the library's would backtrack, or know no bounds. */
export const ARRIVED: ReadonlyMap<string, string> = new Map([
  ['matches', 'bounded_matches'],
  ['split', 'bounded_split'],
  ['join', 'bounded_join'],
]);

/** What gives more than it is given, again and again if they are nested. */
export const GROWING: ReadonlySet<string> = new Set(['+', 'hex', 'base64', 'bytes', 'string']);

/** Elements of a list that an expression makes, and characters of a text. */
export const MOST_ELEMENTS = 1000;
export const MOST_CHARACTERS = 16 * 1024 * 1024;

/** Something became larger than an expression may make it. Its name is what the record's failure says. */
export class LimitExceeded extends Error {
  readonly code = 'limit_exceeded';
}

/** Adds our functions to an environment, for every type that can be compared with NULL as well. */
export function equip(environment: Environment): Environment {
  for (const type of ['string', 'int', 'double', 'bool', 'bytes', 'google.protobuf.Timestamp']) {
    // The library has no type of a text that may be NULL. A value of such a type is none.
    environment.registerOperator(`${type} == null`, () => false);
  }
  return environment
    .registerFunction('string.bounded_matches(string): bool', matches)
    .registerFunction('string.bounded_split(string): list<string>', split)
    .registerFunction('list<string>.bounded_join(): string', (parts: readonly string[]) => join(parts, ''))
    .registerFunction('list<string>.bounded_join(string): string', join);
}

const patterns = new Map<string, (text: string) => boolean>();
const MOST_PATTERNS = 1000;

function matches(text: string, pattern: string): boolean {
  let finds = patterns.get(pattern);
  if (finds === undefined) {
    const compiled = compileRe2(pattern);
    if (typeof compiled === 'string') throw new LimitExceeded(compiled);
    finds = (given) => compiled.test(given);
    if (patterns.size >= MOST_PATTERNS) patterns.clear();
    patterns.set(pattern, finds);
  }
  return finds(text);
}

function split(text: string, separator: string): string[] {
  const parts = text.split(separator, MOST_ELEMENTS + 1);
  if (parts.length > MOST_ELEMENTS) throw new LimitExceeded('split');
  return parts;
}

function join(parts: readonly string[], separator: string): string {
  let length = 0;
  for (const part of parts) {
    // Only reached by a value of another type that no check could see.
    if (typeof part !== 'string') throw new LimitExceeded('join');
    length += part.length + separator.length;
  }
  if (length > MOST_CHARACTERS) throw new LimitExceeded('join');
  return parts.join(separator);
}
