import { type Command, InvalidArgumentError } from 'commander';
import { DURATION_PATTERN, durationMs } from '../lib/core/duration';

/** Which quarantined records are meant. */
export interface FilterOptions {
  readonly stream?: string;
  readonly field?: string;
  readonly rule?: string;
  readonly reason?: string;
  readonly run?: string;
  readonly since?: string;
  readonly until?: string;
}

const NAMES = ['stream', 'field', 'rule', 'reason', 'run', 'since', 'until'] as const;

/** Adds the options by which quarantined records are chosen; all that are given must hold. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('--stream <stream>', 'only records of this stream')
    .option('--field <field>', 'only records of which a reason names this field')
    .option('--rule <rule>', 'only records of which a reason names this rule or step, such as range')
    .option('--reason <text>', 'only records whose reasons hold this text')
    .option('--run <run>', 'only records of this run')
    .option('--since <time>', 'only records put there since then: a time, or how long ago, such as 2d', pastTime)
    .option('--until <time>', 'only records put there before: a time, or how long ago', pastTime);
}

/** The conditions as the API takes them. */
export function filterOf(options: FilterOptions): { readonly [name: string]: string } {
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = options[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** An ISO time; a time without a zone is one of this machine. */
function pastTime(text: string): string {
  const time = DURATION_PATTERN.test(text) ? Date.now() - durationMs(text) : Date.parse(text);
  if (Number.isNaN(time) || Math.abs(time) > 8.64e15) {
    throw new InvalidArgumentError('Expected a time such as 2026-01-31T10:00:00Z, or how long ago, such as 90m or 2d.');
  }
  return new Date(time).toISOString();
}
