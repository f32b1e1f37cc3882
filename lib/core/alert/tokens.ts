import { type ConditionProblem, invalidCondition } from './problem';

/** A word, number, quoted text, sign or the end of a condition. */
export interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'compare' | 'and' | 'or' | 'not' | 'open' | 'close' | 'end';
  /** Of a quoted text what is between the quotes. */
  readonly text: string;
  readonly at: number;
}

const SPACE = /\s+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /\d+(\.\d+)?/y;
// What every evaluator takes and prints without an exponent.
const PLAIN_NUMBER = /^\d{1,15}(\.\d{1,6})?$/;
const TEXT = /'([^'\n]*)'|"([^"\n]*)"/y;
const SIGN = /&&|\|\||==|!=|<=|>=|[<>!()]/y;

const SIGNS: { readonly [sign: string]: Token['kind'] } = {
  '&&': 'and',
  '||': 'or',
  '!': 'not',
  '(': 'open',
  ')': 'close',
};
const WORDS = new Set(['and', 'or', 'not']);

/** Signs of other languages, and what they are called here. */
const MEANT: { readonly [sign: string]: string } = {
  '=': 'write "==" to compare',
  '&': 'write "and" or "&&"',
  '|': 'write "or" or "||"',
  '-': 'there are no negative values',
  '%': 'write a share as a number from 0 to 1, such as 0.05 for 5 %',
  '.': 'write a number with a digit before the point, such as 0.5',
  "'": 'the quoted text has no end',
  '"': 'the quoted text has no end',
};

/** The tokens of a condition; the last one is its end. @throws Fault `config`/`invalid_config` */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const found = match(SPACE, text, at)?.[0] ?? '';
    at += found.length;
    if (at >= text.length) break;
    const token = tokenAt(text, at);
    if ('message' in token) throw invalidCondition(text, [token]);
    tokens.push(token.token);
    at += token.length;
  }
  return [...tokens, { kind: 'end', text: '', at: text.length }];
}

function tokenAt(text: string, at: number): { readonly token: Token; readonly length: number } | ConditionProblem {
  const [name] = match(NAME, text, at) ?? [];
  if (name !== undefined) return { token: { kind: word(name), text: name, at }, length: name.length };
  const [number] = match(NUMBER, text, at) ?? [];
  if (number !== undefined) return numberAt(text, at, number);
  const quoted = match(TEXT, text, at);
  if (quoted) {
    return { token: { kind: 'text', text: quoted[1] ?? quoted[2] ?? '', at }, length: quoted[0].length };
  }
  const [sign] = match(SIGN, text, at) ?? [];
  if (sign !== undefined) return { token: { kind: SIGNS[sign] ?? 'compare', text: sign, at }, length: sign.length };
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return { at, message: MEANT[character] ?? `${JSON.stringify(character)} means nothing here` };
}

function numberAt(text: string, at: number, number: string) {
  const [unit] = match(NAME, text, at + number.length) ?? [];
  if (unit !== undefined) return { at, message: `put a length of time into quotes: '${number}${unit}'` };
  if (!PLAIN_NUMBER.test(number)) return { at, message: 'a number has at most 15 digits and 6 decimals' };
  return { token: { kind: 'number' as const, text: number, at }, length: number.length };
}

function word(name: string): Token['kind'] {
  const lower = name.toLowerCase();
  return WORDS.has(lower) ? (lower as Token['kind']) : 'name';
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
