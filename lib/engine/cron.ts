import { Cron } from 'croner';
import type { FieldIssue } from '../core/fault';

/** What is wrong with a five-field cron expression or its time zone; empty when nothing is. */
export function validateCron(expression: string, timeZone: string): FieldIssue[] {
  const issues: FieldIssue[] = [];
  if (!isTimeZone(timeZone)) {
    issues.push({
      path: 'sync_settings.time_zone',
      message: `"${timeZone}" is no IANA time zone, such as "Europe/Berlin"`,
    });
  }
  const problem = cronProblem(expression);
  if (problem !== undefined) {
    issues.push({
      path: 'sync_settings.schedule',
      message: `${problem}; five fields are needed, such as "0 */6 * * *"`,
    });
  }
  return issues;
}

function cronProblem(expression: string): string | undefined {
  const fields = expression.trim().split(/\s+/).length;
  if (fields !== 5) return `"${expression}" has ${fields} field${fields === 1 ? '' : 's'}`;
  try {
    return new Cron(expression, { paused: true, mode: '5-part' }).nextRun()
      ? undefined
      : `"${expression}" never comes due`;
  } catch (error) {
    return `"${expression}" is no cron expression (${error instanceof Error ? error.message : String(error)})`;
  }
}

function isTimeZone(name: string): boolean {
  return Intl.supportedValuesOf('timeZone').includes(name) || name === 'UTC' || canFormat(name);
}

function canFormat(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone.length > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
