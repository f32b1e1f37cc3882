import { table } from '../../bin/output/table';

/** How one check went. */
export interface CheckResult {
  readonly check: string;
  readonly state: 'passed' | 'FAILED' | 'NOT RUN';
  /** Why it was not run, or what was wrong. */
  readonly reason: string;
}

/** A result as Jest tells it. */
export interface JestResult {
  readonly title: string;
  readonly status: string;
  readonly failureMessages?: readonly string[];
}

const WAIVED = /^(.*) \(waived: (.*)\)$/s;
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** What a result means. */
export function resultOf({ title, status, failureMessages = [] }: JestResult): CheckResult {
  const [, check = title, reason = 'left out'] = WAIVED.exec(title) ?? [];
  if (status === 'passed') return { check, state: 'passed', reason: '' };
  if (status !== 'failed') return { check, state: 'NOT RUN', reason };
  return { check, state: 'FAILED', reason: failureMessages.map(readable).join('\n') };
}

/** All results as a table, with their number in the last line. */
export function report(results: readonly CheckResult[]): string {
  const rows = results.map(({ state, check, reason }) => [state, check, firstLine(reason)]);
  const count = (state: CheckResult['state']) => results.filter((result) => result.state === state).length;
  const columns = [{ title: 'result' }, { title: 'check' }, { title: 'reason' }];
  const counts = `${count('passed')} passed, ${count('FAILED')} failed, ${count('NOT RUN')} not run`;
  return `${table(columns, rows)}\n\n${counts}`;
}

/** Takes secrets out of a text, also as they stand in addresses. */
export function redacted(text: string, secrets: readonly (string | undefined)[]): string {
  return secrets
    .filter((secret): secret is string => secret !== undefined && secret !== '')
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    .reduce((left, secret) => left.replaceAll(secret, '***'), text);
}

function readable(message: string): string {
  return message.replace(COLOURS, '').replace(/\n\s+at .*/g, '');
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
