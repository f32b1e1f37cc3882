import type { CronDays } from '../../core/cron-days';
import type { CronField } from '../../core/cron-fields';
import { readSchedule } from '../../core/cron-schedule';
import { commonStep, fieldText } from '../../core/cron-text';
import type { Schedule } from '../../core/ports';

/**
 * The `cron(...)` expressions of EventBridge Scheduler that together tick when five-field cron does: two when both a day
 * of the month and a weekday are given, since unix cron ticks on either and Scheduler takes only one of them.
 * @throws Fault `config`/`invalid_cron` for what is no five-field cron, never comes due or cannot be said in AWS.
 */
export function scheduleExpressions(schedule: Pick<Schedule, 'integration' | 'cron'>): readonly string[] {
  const { days, ...times } = readSchedule(schedule);
  const [minute, hour, month] = [times.minute, times.hour, times.month].map(fieldText);
  return days.map((found) => {
    const [day, weekday] = dayTexts(found);
    return `cron(${minute} ${hour} ${day} ${month} ${weekday} *)`;
  });
}

function dayTexts(days: CronDays): readonly [string, string] {
  if (days.by === 'every') return ['*', '?'];
  return days.by === 'date' ? [fieldText(days.field), '?'] : ['?', weekdayText(days.field)];
}

/** AWS counts weekdays from 1 = Sunday, and has no steps there. */
function weekdayText({ values }: CronField): string {
  const days = values.map((value) => value + 1);
  return days.length > 2 && commonStep(days) === 1 ? `${days[0]}-${days.at(-1)}` : days.join(',');
}
