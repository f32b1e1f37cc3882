import { parseCron } from '../../core/cron';
import type { Schedule } from '../../core/ports';

const DAY_MS = 86_400_000;

/**
 * Milliseconds since 1970 of the next tick after `from`, as EventBridge Scheduler has them: a time that the change to
 * summer time skips does not tick that day, one that the change back repeats ticks the first time.
 */
export function nextTick(schedule: Schedule, from: number): number | undefined {
  const offsetAt = offsetsOf(schedule.timeZone);
  // Ticks are looked for on the clock on the wall, written as if it were UTC.
  const ticks = parseCron({ ...schedule, timeZone: 'UTC' });
  let wall = ticks.nextRun(new Date(from + offsetAt(from)));
  while (wall !== null) {
    const time = firstInstant(wall.getTime(), offsetAt);
    if (time !== undefined && time > from) return time;
    wall = ticks.nextRun(wall);
  }
  return undefined;
}

/** When the clock on the wall first shows `wall`; `undefined` when it never does. */
function firstInstant(wall: number, offsetAt: (time: number) => number): number | undefined {
  const before = wall - offsetAt(wall - DAY_MS);
  const after = wall - offsetAt(wall + DAY_MS);
  return [Math.min(before, after), Math.max(before, after)].find((time) => time + offsetAt(time) === wall);
}

/** How far a zone's clock is ahead of UTC at a time, in milliseconds. */
function offsetsOf(timeZone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  return (time) => {
    const name = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = 0, minutes = 0, seconds = 0] = /([+-])(\d+):(\d+)(?::(\d+))?/.exec(name) ?? [];
    const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -size : size;
  };
}
