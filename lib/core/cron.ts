import { Cron } from 'croner';
import type { CronDays } from './cron-days';
import type { CronField } from './cron-fields';
import { checkSchedule } from './cron-schedule';
import type { Schedule } from './ports';

/**
 * The ticks of a schedule. A time that the change to summer time skips ticks when the gap ends; one that the change
 * back repeats ticks once, unless the expression asks for every hour.
 * @throws Fault `config`/`invalid_cron`
 */
export function parseCron(schedule: Schedule): Cron {
  const { minute, hour, month, days } = checkSchedule(schedule);
  const dates = days.find(({ by }) => by === 'date');
  const weekdays = days.find(({ by }) => by === 'weekday');
  // Bare values: croner has its own reading of steps, nicknames and of day fields that begin with a star.
  const texts = [minute, hour, fieldOf(dates), month, fieldOf(weekdays)].map(listed);
  return new Cron(texts.join(' '), { paused: true, mode: '5-part', timezone: schedule.timeZone });
}

const fieldOf = (days: CronDays | undefined) => (days === undefined || days.by === 'every' ? undefined : days.field);

const listed = (field: CronField | undefined) => (field === undefined || field.all ? '*' : field.values.join(','));
