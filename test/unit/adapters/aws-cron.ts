const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const NUMBER = '\\d{1,2}';
/** What AWS documents of each field, without names, `L`, `W` and `#`; a weekday has no steps. */
const STEPPED = new RegExp(`^(\\*|${NUMBER}(-${NUMBER})?|${NUMBER}/${NUMBER}|${NUMBER}(,${NUMBER})+)$`);
const UNSTEPPED = new RegExp(`^(\\*|${NUMBER}(-${NUMBER})?|${NUMBER}(,${NUMBER})+)$`);
const FIELDS = [
  { first: 0, last: 59, form: STEPPED },
  { first: 0, last: 23, form: STEPPED },
  { first: 1, last: 31, form: STEPPED },
  { first: 1, last: 12, form: STEPPED },
  { first: 1, last: 7, form: UNSTEPPED },
] as const;

/**
 * The first `count` ticks after `from` (UTC) of an expression of EventBridge Scheduler, as its documentation defines
 * it; at most those of the following 13 years. Throws for what AWS would refuse.
 */
export function awsTicks(expression: string, from: number, count: number): number[] {
  const texts = /^cron\((.*) \*\)$/.exec(expression)?.[1]?.split(' ') ?? [];
  const [, , day, , weekday] = texts;
  if (texts.length !== 5 || expression.length > 256) throw new Error(`${expression} has not six fields`);
  if ((day === '?') === (weekday === '?')) throw new Error(`${expression} needs ? in one day field`);
  const [minutes = [], hours = [], days = [], months = [], weekdays = []] = texts.map(valuesOf);
  const ticks: number[] = [];
  const start = Math.floor(from / DAY_MS) * DAY_MS;
  for (let at = start; at < start + 13 * 366 * DAY_MS && ticks.length < count; at += DAY_MS) {
    const date = new Date(at);
    const matches = day === '?' ? weekdays.includes(date.getUTCDay() + 1) : days.includes(date.getUTCDate());
    if (!matches || !months.includes(date.getUTCMonth() + 1)) continue;
    const times = hours.flatMap((hour) => minutes.map((minute) => at + hour * HOUR_MS + minute * MINUTE_MS));
    ticks.push(...times.filter((time) => time > from));
  }
  return ticks.slice(0, count);
}

function valuesOf(text: string, index: number): number[] {
  const { first, last, form } = FIELDS[index] ?? FIELDS[0];
  if (text === '?' && (index === 2 || index === 4)) return [];
  if (!form.test(text)) throw new Error(`${text} is no field ${index} of AWS`);
  const [body = '', step] = text.split('/');
  const values = body.split(',').flatMap((item) => {
    const [low = first, high = step === undefined ? low : last] =
      item === '*' ? [first, last] : item.split('-').map(Number);
    return Array.from({ length: high - low + 1 }, (_, offset) => low + offset).filter(
      (value) => (value - low) % Number(step ?? 1) === 0,
    );
  });
  if (values.some((value) => value < first || value > last)) throw new Error(`${text} is out of range`);
  return values.sort((a, b) => a - b);
}
