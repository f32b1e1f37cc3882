import { RE2JS, RE2JSException } from 're2js';

/** Instructions of a compiled expression; each character of a text costs at most so many steps. */
const LARGEST_PROGRAM = 4000;

/** A regular expression of RE2: no backtracking, so its time grows with the text and no faster. */
export interface Re2 {
  /** Whether it matches anywhere in the text. */
  test(text: string): boolean;
  /** Whether it matches the whole text. */
  matches(text: string): boolean;
}

/** Compiles; gives what is wrong with the pattern as text. */
export function compileRe2(pattern: string): Re2 | string {
  try {
    const compiled = RE2JS.compile(pattern);
    if (compiled.programSize() > LARGEST_PROGRAM) return 'this regular expression is too large; repeat less in it';
    return { test: (text) => compiled.test(text), matches: (text) => compiled.testExact(text) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return `no regular expression of RE2: ${error.message.replace(/^error parsing regexp: /, '')}`;
  }
}
