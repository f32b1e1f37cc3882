import { invalidConfig } from '../config';
import type { Fault } from '../fault';

/** What is wrong at one place of a condition: `at` is the index of its first character. */
export interface ConditionProblem {
  readonly at: number;
  readonly message: string;
}

/** The fault for a wrong condition. Its issues have no path: whoever knows where the condition stands puts it there. */
export function invalidCondition(text: string, problems: readonly ConditionProblem[]): Fault {
  return invalidConfig(problems.map(({ at, message }) => ({ path: '', message: `${placeOf(text, at)}: ${message}` })));
}

function placeOf(text: string, at: number): string {
  const before = text.slice(0, at).split('\n');
  const column = `column ${(before.at(-1)?.length ?? 0) + 1}`;
  return text.includes('\n') ? `line ${before.length}, ${column}` : `at ${column}`;
}
