import type { Fault } from '../../lib/core/fault';
import { plain } from './format';

/** Where text goes. */
export interface TextStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** What a command shows: results on standard output, everything else on standard error. */
export interface Printer {
  readonly json: boolean;
  readonly out: TextStream;
  readonly err: TextStream;
  /** The result: `value` as JSON when that was asked for, else the text. */
  result(value: unknown, text: () => string): void;
  /** A remark beside the result; not with `--json`. */
  note(text: string): void;
}

/** A printer onto two streams. */
export function createPrinter(out: TextStream, err: TextStream, json: boolean): Printer {
  return {
    json,
    out,
    err,
    result: (value, text) => void out.write(`${json ? JSON.stringify(value, null, 2) : text()}\n`),
    note(text) {
      if (!json) err.write(`${text}\n`);
    },
  };
}

/** An error that ended a command, for people or (`json`) for programs. */
export function faultText(fault: Fault, json: boolean): string {
  const { issues } = fault;
  if (json) return JSON.stringify({ error: { ...fault.record(), ...(issues && { issues }) } });
  const lines = [`error: ${plain(fault.message)}`];
  if (issues && issues.length > 1) {
    lines.splice(0, 1, 'error: the configuration is wrong');
    lines.push(...issues.map(({ path, message }) => plain(`  ${path === '' ? '' : `${path}: `}${message}`)));
  }
  if (fault.hint !== undefined) lines.push(`hint: ${plain(fault.hint)}`);
  return lines.join('\n');
}
