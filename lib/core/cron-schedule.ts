import { type CronDays, cronDays } from './cron-days';
import { type CronField, type Refuse, readCron } from './cron-fields';
import { fieldText } from './cron-text';
import { Fault } from './fault';
import type { Schedule } from './ports';

/** When a schedule ticks: at each of the minutes, hours and months, on the days that any of `days` names. */
export interface CronReading {
  readonly minute: CronField;
  readonly hour: CronField;
  readonly month: CronField;
  readonly days: readonly CronDays[];
}

const FIVE_FIELDS = 'Give five fields (minute, hour, day, month, weekday), such as "0 */6 * * *".';
/** The 256 characters of an expression in AWS, without what is around its values. */
const LONGEST_TEXT = 243;
const LONGEST_CRON = 256;

/**
 * The one reading of five-field cron, in each home. What cannot be said in the cloud is refused everywhere, so that a
 * document means the same wherever it goes.
 * @throws Fault `config`/`invalid_cron`
 */
export function readSchedule({ integration, cron }: Pick<Schedule, 'integration' | 'cron'>): CronReading {
  const refuse = refuseFor(integration, 'schedule', FIVE_FIELDS);
  const fields = readCron(cron, refuse);
  const days = cronDays(fields, cron, refuse);
  const { minute, hour, month } = fields;
  const texts = [minute, hour, month].map(fieldText);
  const longest = Math.max(...days.map((found) => (found.by === 'every' ? 1 : fieldText(found.field).length)));
  if (texts.join('').length + longest > LONGEST_TEXT || cron.trim().length > LONGEST_CRON) {
    refuse(`"${cron}" is too long`, 'Use ranges and steps instead of lists.');
  }
  return { minute, hour, month, days };
}

/**
 * Reads a schedule and looks at its time zone: one that passes has ticks.
 * @throws Fault `config`/`invalid_cron`
 */
export function checkSchedule({ integration, cron, timeZone }: Schedule): CronReading {
  const reading = readSchedule({ integration, cron });
  if (!isTimeZone(timeZone)) {
    const refuse = refuseFor(integration, 'time_zone', `${FIVE_FIELDS} Its time zone has an IANA name.`);
    refuse(`"${timeZone}" is no IANA time zone, such as "Europe/Berlin"`, 'Give one such as "UTC" or "Europe/Berlin".');
  }
  return reading;
}

function refuseFor(integration: string, field: 'schedule' | 'time_zone', more: string): Refuse {
  return (problem, remedy) => {
    throw new Fault('config', 'invalid_cron', `scheduling integration ${integration}: ${problem}`, {
      issues: [{ path: `sync_settings.${field}`, message: problem }],
      hint: `${remedy} ${more}`,
    });
  };
}

const LONGEST_MEMORY = 1000;
const timeZones = new Set<string>();

/** Node takes offsets such as `+01:00`, too, which EventBridge Scheduler does not. */
function isTimeZone(name: string): boolean {
  if (timeZones.has(name)) return true;
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    // Asking costs 0.1 ms, and every step of a run reads its document again.
    if (timeZones.size < LONGEST_MEMORY) timeZones.add(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
