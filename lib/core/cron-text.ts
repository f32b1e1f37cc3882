import type { CronField } from './cron-fields';

const LAST = { minute: 59, hour: 23, 'day of month': 31, month: 12, weekday: 6 } as const;

/** The shortest text of a field: `*`, a range, a list, or `first/step` for a step that goes on to the end. */
export function fieldText({ name, values, all }: CronField): string {
  if (all) return '*';
  const step = commonStep(values);
  const [first = 0, second] = values;
  const last = values.at(-1) ?? first;
  if (second === undefined || step === undefined || values.length < 3) return values.join(',');
  if (step === 1) return `${first}-${last}`;
  return last + step > LAST[name] ? `${first}/${step}` : values.join(',');
}

/** The distance from each value to the next, when it is the same for all. */
export function commonStep(values: readonly number[]): number | undefined {
  const steps = new Set(values.slice(1).map((value, index) => value - (values[index] ?? value)));
  return steps.size === 1 ? [...steps][0] : undefined;
}
