import { Cron } from 'croner';
import { Fault, messageOf } from './fault';
import type { Schedule } from './ports';

/**
 * The ticks of a schedule. A time that the change to summer time skips ticks when the gap ends; one that the change
 * back repeats ticks once, unless the expression asks for every hour.
 * @throws Fault `config`/`invalid_cron`
 */
export function parseCron({ integration, cron, timeZone }: Schedule): Cron {
  const refuse = (field: 'schedule' | 'time_zone', problem: string, cause?: unknown) =>
    new Fault('config', 'invalid_cron', `scheduling integration ${integration}: ${problem}`, {
      issues: [{ path: `sync_settings.${field}`, message: problem }],
      hint: 'Give five fields (minute, hour, day, month, weekday), such as "0 */6 * * *", and an IANA time zone, such as "Europe/Berlin".',
      cause,
    });
  const count = cron.trim().split(/\s+/).length;
  if (count !== 5)
    throw refuse(
      'schedule',
      `"${cron}" has ${count} field${count === 1 ? '' : 's'}; five are needed, such as "0 */6 * * *"`,
    );
  if (!isTimeZone(timeZone)) throw refuse('time_zone', `"${timeZone}" is no IANA time zone, such as "Europe/Berlin"`);
  const ticks = read(cron, timeZone, (problem, cause) => refuse('schedule', problem, cause));
  if (ticks.nextRun(new Date(0)) === null) throw refuse('schedule', `"${cron}" never comes due`);
  return ticks;
}

function read(cron: string, timezone: string, refuse: (problem: string, cause: unknown) => Fault): Cron {
  try {
    return new Cron(cron.trim(), { paused: true, mode: '5-part', timezone });
  } catch (error) {
    throw refuse(`"${cron}" is no cron expression (${messageOf(error)})`, error);
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
