import type { ColumnType } from '../../core/schema';
import { type Convert, FAILED, type MakeConverter } from './converter';

const FROM: ReadonlySet<ColumnType> = new Set(['bool', 'int32', 'int64', 'float64', 'decimal', 'text', 'json']);
const TRUE_WORDS = ['true', 't', 'yes', 'y', 'on', '1'];
const FALSE_WORDS = ['false', 'f', 'no', 'n', 'off', '0'];

/** `boolean`: common words, in any case, or those that are named; 1 and 0. */
export const toBoolean: MakeConverter = (options, from) => {
  const { true_values: yes = TRUE_WORDS, false_values: no = FALSE_WORDS } = options;
  const problem = 'is neither true nor false';
  if (!FROM.has(from.type)) return undefined;
  if (from.type === 'bool') return { type: 'bool', problem };
  const words = new Map([
    ...no.map((word) => [word.toLowerCase(), false] as const),
    ...yes.map((word) => [word.toLowerCase(), true] as const),
  ]);
  const both = no.find((word) => yes.some((other) => other.toLowerCase() === word.toLowerCase()));
  if (both !== undefined) return `"${both}" is in true_values and in false_values`;
  const convert: Convert = (value) => {
    if (typeof value === 'boolean') return value;
    if (typeof value === 'object') return FAILED;
    const text = String(value);
    return words.get(text) ?? words.get(text.trim().toLowerCase()) ?? FAILED;
  };
  // PostgreSQL knows just the words that are known here where none are named.
  const plain = new Set(
    [...words].filter(([word, is]) => (is ? TRUE_WORDS : FALSE_WORDS).includes(word)).map(([word]) => word),
  );
  return { type: 'bool', convert, isPlain: (text) => plain.has(text), problem };
};
