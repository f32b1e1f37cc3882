import { Cron } from 'croner';
import { Fault } from '../../core/fault';
import type { Schedule } from '../../core/ports';

/**
 * The ticks of a schedule. A time that the change to summer time skips ticks when the gap ends; one that the change
 * back repeats ticks once, unless the expression asks for every hour.
 * @throws Fault `config`/`invalid_cron`
 */
export function parseCron({ integration, cron, timeZone }: Schedule): Cron {
  const refuse = (problem: string, cause?: unknown) =>
    new Fault('config', 'invalid_cron', `scheduling integration ${integration}: ${problem}`, {
      hint: 'Give five fields (minute, hour, day, month, weekday), such as "0 */6 * * *", and an IANA time zone, such as "Europe/Berlin".',
      cause,
    });
  const count = cron.trim().split(/\s+/).length;
  if (count !== 5) throw refuse(`"${cron}" has ${count} field${count === 1 ? '' : 's'}`);
  if (!isTimeZone(timeZone)) throw refuse(`"${timeZone}" is no time zone`);
  const ticks = read(cron, timeZone, refuse);
  if (ticks.nextRun(new Date(0)) === null) throw refuse(`"${cron}" never comes due`);
  return ticks;
}

function read(cron: string, timezone: string, refuse: (problem: string, cause: unknown) => Fault): Cron {
  try {
    return new Cron(cron.trim(), { paused: true, mode: '5-part', timezone });
  } catch (error) {
    throw refuse(`"${cron}" is no cron expression (${error instanceof Error ? error.message : String(error)})`, error);
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
