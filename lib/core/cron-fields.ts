/** One of the five fields of unix cron: its values in ascending order. */
export interface CronField {
  readonly name: FieldName;
  readonly values: readonly number[];
  /** Every value that the field can have. */
  readonly all: boolean;
  /** The text begins with `*`: unix cron then wants the other day field to match too. */
  readonly star: boolean;
}

/** What the five fields are called in messages. */
export type FieldName = 'minute' | 'hour' | 'day of month' | 'month' | 'weekday';

/** The five fields of an expression. */
export interface CronFields {
  readonly minute: CronField;
  readonly hour: CronField;
  readonly day: CronField;
  readonly month: CronField;
  readonly weekday: CronField;
}

/** Throws what is wrong, and what to write instead. */
export type Refuse = (problem: string, remedy: string) => never;

interface Range {
  readonly first: number;
  readonly last: number;
  readonly names: readonly string[];
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const RANGES: { readonly [name in FieldName]: Range } = {
  minute: { first: 0, last: 59, names: [] },
  hour: { first: 0, last: 23, names: [] },
  'day of month': { first: 1, last: 31, names: [] },
  month: { first: 1, last: 12, names: MONTHS },
  weekday: { first: 0, last: 6, names: WEEKDAYS },
};
const NICKNAMES: { readonly [nickname: string]: string } = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Reads five-field cron as unix cron does, with its nicknames. */
export function readCron(cron: string, refuse: Refuse): CronFields {
  const given = cron.trim();
  const text = NICKNAMES[given.toLowerCase()] ?? given;
  if (text.startsWith('@')) {
    refuse(`"${cron}" is no time`, `Give one of ${Object.keys(NICKNAMES).join(', ')}, or five fields.`);
  }
  const parts = text === '' ? [] : text.split(/\s+/);
  const [minute, hour, day, month, weekday, more] = parts;
  if (!minute || !hour || !day || !month || !weekday || more !== undefined) {
    const count = `${parts.length} field${parts.length === 1 ? '' : 's'}`;
    return refuse(
      `"${cron}" has ${count}; five are needed, such as "0 */6 * * *"`,
      'Leave out a field for seconds or years.',
    );
  }
  return {
    minute: readField('minute', minute, refuse),
    hour: readField('hour', hour, refuse),
    day: readField('day of month', day, refuse),
    month: readField('month', month, refuse),
    weekday: readField('weekday', weekday, refuse),
  };
}

function readField(name: FieldName, text: string, refuse: Refuse): CronField {
  const range = RANGES[name];
  const fail: Refuse = (problem, remedy) => refuse(`the ${name} "${text}" ${problem}`, remedy);
  const values = new Set(text.split(',').flatMap((item) => readItem(item, name, fail)));
  const all = values.size === range.last - range.first + 1;
  return { name, values: [...values].sort((a, b) => a - b), all, star: text.startsWith('*') };
}

function readItem(item: string, name: FieldName, fail: Refuse): number[] {
  const [, range = '', step = '1'] = /^([^/]*)(?:\/(\d+))?$/.exec(item) ?? failOther(item, name, fail);
  const [low, high] = readRange(range, name, fail);
  if (Number(step) === 0) fail('has a step of 0', 'Give a step of 1 or more.');
  if (item.includes('/') && /^\w+$/.test(range)) {
    const remedy = `Write a range before the step, such as "${low}-${RANGES[name].last}/${step}".`;
    fail('has a step after a single value', remedy);
  }
  const values: number[] = [];
  for (let value = low; value <= high; value += Number(step)) values.push(name === 'weekday' ? value % 7 : value);
  return values;
}

function readRange(text: string, name: FieldName, fail: Refuse): readonly [number, number] {
  const { first, last } = RANGES[name];
  if (text === '*') return [first, last];
  const [, from = '', to = from] = /^(\w+)(?:-(\w+))?$/.exec(text) ?? failOther(text, name, fail);
  const low = readNumber(from, name, fail);
  // SUN ends a range as 7; the digit 0 does not.
  const high = low > 0 && to.toUpperCase() === 'SUN' && to !== from ? 7 : readNumber(to, name, fail);
  if (low > high) {
    const remedy = `Write it as two ranges: "${rangeText(low, last)},${rangeText(first, high)}".`;
    fail('has a range that goes backwards', remedy);
  }
  return [low, high];
}

const rangeText = (low: number, high: number) => (low >= high ? `${high}` : `${low}-${high}`);

function readNumber(text: string, name: FieldName, fail: Refuse): number {
  const { first, last, names } = RANGES[name];
  // Sunday is both 0 and 7.
  const highest = name === 'weekday' ? 7 : last;
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return first + named;
  if (!/^\d+$/.test(text)) return failOther(text, name, fail);
  const value = Number(text);
  if (value < first || value > highest) fail(`is not between ${first} and ${highest}`, 'Give a value in that range.');
  return value;
}

function failOther(text: string, name: FieldName, fail: Refuse): never {
  const { first, last, names } = RANGES[name];
  if (text.includes('?')) fail('has a "?", which five-field cron does not have', 'Write "*" for every value.');
  if (/[#LW]/i.test(text.replace(/[A-Z]{3}/gi, ''))) {
    fail('has "L", "W" or "#", which five-field cron does not have', 'List the days, or run every day of that week.');
  }
  const named = names.length > 0 ? `, or names such as ${names[0]}` : '';
  return fail('is not understood', `Give numbers from ${first} to ${last}, "*", lists, ranges or steps${named}.`);
}
