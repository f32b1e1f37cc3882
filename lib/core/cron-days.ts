import type { CronField, CronFields, Refuse } from './cron-fields';

/** Days by date or by weekday; `every` for all. */
export type CronDays =
  | { readonly by: 'every' }
  | { readonly by: 'date'; readonly field: CronField }
  | { readonly by: 'weekday'; readonly field: CronField };

const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * The days of an expression: it ticks on each that one of the answers names. Unix cron: when a day field begins with `*`
 * both must match, else either. Both at once cannot be said in AWS, and is refused.
 */
export function cronDays({ day, weekday, month }: CronFields, cron: string, refuse: Refuse): readonly CronDays[] {
  const dates = { ...day, values: possibleDates(day, month) };
  const onDates = { by: 'date', field: dates } as const;
  const onWeekdays = { by: 'weekday', field: weekday } as const;
  if (day.star || weekday.star) {
    if (!day.all && !weekday.all) refuseBoth(day.star ? day : weekday, cron, refuse);
    if (!weekday.all) return [onWeekdays];
    if (dates.values.length === 0) refuse(`"${cron}" never comes due`, 'No such month has that day of month.');
    return [day.all ? { by: 'every' } : onDates];
  }
  if (day.all || weekday.all) return [{ by: 'every' }];
  return dates.values.length === 0 ? [onWeekdays] : [onDates, onWeekdays];
}

function refuseBoth(starred: CronField, cron: string, refuse: Refuse): never {
  return refuse(
    `"${cron}" wants day of month and weekday at once (its ${starred.name} begins with "*"), which AWS cannot do`,
    'Write "*" in one of the two fields, or list the values: a listed day of month and a listed weekday run on either.',
  );
}

/** Without the days that none of the months has. */
function possibleDates(day: CronField, month: CronField): readonly number[] {
  const longest = Math.max(...month.values.map((value) => LONGEST_MONTHS[value - 1] ?? 31));
  return day.all ? day.values : day.values.filter((value) => value <= longest);
}
