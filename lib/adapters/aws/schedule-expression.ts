import { Fault } from '../../core/fault';
import type { Schedule } from '../../core/ports';
import { type CronField, type CronFields, type Refuse, readCron } from './cron-fields';

/** Of the days by date, of those by weekday, or of both. */
interface Days {
  readonly day?: string;
  readonly weekday?: string;
}

const FIVE_FIELDS = 'Give five fields (minute, hour, day, month, weekday), such as "0 */6 * * *".';
const LONGEST_EXPRESSION = 256;
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * The `cron(...)` expressions of EventBridge Scheduler that together tick when five-field cron does: two when both a day
 * of the month and a weekday are given, since unix cron ticks on either and Scheduler takes only one of them.
 * @throws Fault `config`/`invalid_cron` for what is no five-field cron, never comes due or cannot be said in AWS.
 */
export function scheduleExpressions({ integration, cron }: Pick<Schedule, 'integration' | 'cron'>): readonly string[] {
  const refuse = refuseFor(integration);
  const fields = readCron(cron, refuse);
  const [minute, hour, month] = [fields.minute, fields.hour, fields.month].map(fieldText);
  const expressions = daysOf(fields, cron, refuse).map(
    ({ day = '?', weekday = '?' }) => `cron(${minute} ${hour} ${day} ${month} ${weekday} *)`,
  );
  if (expressions.some(({ length }) => length > LONGEST_EXPRESSION)) {
    refuse(`"${cron}" is too long for AWS`, 'Use ranges and steps instead of lists.');
  }
  return expressions;
}

/**
 * The same schedule for readers that take only a bare `*` as unrestricted, where unix cron takes all that begins with
 * `*`: a day field such as `*\/1` becomes `*`.
 */
export function withBareStars({ integration, cron }: Pick<Schedule, 'integration' | 'cron'>): string {
  const { day, weekday } = readCron(cron, refuseFor(integration));
  return cron
    .trim()
    .split(/\s+/)
    .map((text, index) => ((index === 2 && isFree(day)) || (index === 4 && isFree(weekday)) ? '*' : text))
    .join(' ');
}

const isFree = (field: CronField) => field.star && field.all;

function refuseFor(integration: string): Refuse {
  return (problem, remedy) => {
    throw new Fault('config', 'invalid_cron', `scheduling integration ${integration}: ${problem}`, {
      issues: [{ path: 'sync_settings.schedule', message: problem }],
      hint: `${remedy} ${FIVE_FIELDS}`,
    });
  };
}

/** Unix cron: when a day field begins with `*` both must match, else either. */
function daysOf({ day, weekday, month }: CronFields, cron: string, refuse: Refuse): Days[] {
  const byDate = possibleDays(day, month);
  const onDates = { day: fieldText({ ...day, values: byDate }) };
  const onWeekdays = { weekday: weekdayText(weekday) };
  if (day.star || weekday.star) {
    if (!day.all && !weekday.all) refuseBoth(day.star ? day : weekday, cron, refuse);
    if (!weekday.all) return [onWeekdays];
    if (byDate.length === 0) refuse(`"${cron}" never comes due`, 'No such month has that day of month.');
    return [onDates];
  }
  if (day.all || weekday.all) return [{ day: '*' }];
  return byDate.length === 0 ? [onWeekdays] : [onDates, onWeekdays];
}

function refuseBoth(starred: CronField, cron: string, refuse: Refuse): never {
  return refuse(
    `"${cron}" wants day of month and weekday at once (its ${starred.name} begins with "*"), which AWS cannot do`,
    'Write "*" in one of the two fields, or list the values: a listed day of month and a listed weekday run on either.',
  );
}

/** Without the days that none of the months has. */
function possibleDays(day: CronField, month: CronField): readonly number[] {
  const longest = Math.max(...month.values.map((value) => LONGEST_MONTHS[value - 1] ?? 31));
  return day.all ? day.values : day.values.filter((value) => value <= longest);
}

const LAST = { minute: 59, hour: 23, 'day of month': 31, month: 12, weekday: 6 } as const;

function fieldText({ name, values, all }: CronField): string {
  if (all) return '*';
  const step = commonStep(values);
  const [first = 0, second] = values;
  const last = values.at(-1) ?? first;
  if (second === undefined || step === undefined || values.length < 3) return values.join(',');
  if (step === 1) return `${first}-${last}`;
  // AWS counts a step on to the end of the field.
  return last + step > LAST[name] ? `${first}/${step}` : values.join(',');
}

/** AWS counts weekdays from 1 = Sunday, and has no steps there. */
function weekdayText({ values }: CronField): string {
  const days = values.map((value) => value + 1);
  return days.length > 2 && commonStep(days) === 1 ? `${days[0]}-${days.at(-1)}` : days.join(',');
}

/** The distance from each value to the next, when it is the same for all. */
function commonStep(values: readonly number[]): number | undefined {
  const steps = new Set(values.slice(1).map((value, index) => value - (values[index] ?? value)));
  return steps.size === 1 ? [...steps][0] : undefined;
}
