const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?\s?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MINUTE_MS = 60_000;

/** A time as it was written. `offset`: minutes east of Greenwich, where it was said. */
export interface WrittenTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** `YYYY-MM-DD` as it stands. */
  readonly date: string;
  /** With its point and without zeros at the end; empty when there is none. At most six digits. */
  readonly fraction: string;
  readonly offset: number | undefined;
}

/**
 * Reads a date or a time as ISO 8601 and PostgreSQL write it, years 0001 to 9999; `undefined` when it is none, or finer
 * than microseconds, which could not be kept.
 */
export function readIso(text: string): WrittenTime | undefined {
  const match = ISO.exec(text.trim());
  if (match === null) return undefined;
  const [, y = '', mo = '', d = '', h = '00', mi = '00', s = '00', f = '', zone] = match;
  const [year, month, day, hour, minute, second] = [+y, +mo, +d, +h, +mi, +s];
  if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  const digits = f.replace(/0+$/, '');
  const offset = zone === undefined ? undefined : offsetOf(zone);
  if (digits.length > 6 || Number.isNaN(offset)) return undefined;
  const fraction = digits === '' ? '' : `.${digits}`;
  return { year, month, day, hour, minute, second, date: `${y}-${mo}-${d}`, fraction, offset };
}

const [DASH, COLON, POINT, SPACE, LETTER_T, LETTER_Z] = [0x2d, 0x3a, 0x2e, 0x20, 0x54, 0x5a];

/**
 * A time that is written in UTC with a `Z`, as almost all are, in the form of {@link inUtc}, without taking it apart;
 * `undefined` when it is written in any other way.
 */
export function plainUtc(text: string): string | undefined {
  const end = plainUtcEnd(text);
  return end === NONE ? undefined : `${text.slice(0, 10)} ${text.slice(11, end)}+00`;
}

/** Whether a time is written in that way, which PostgreSQL reads in the same way. */
export function isPlainUtc(text: string): boolean {
  return plainUtcEnd(text) !== NONE;
}

const NONE = -1;

/** Where such a time ends without its `Z` and the zeros that mean nothing. */
function plainUtcEnd(text: string): number {
  const last = text.length - 1;
  if (last < 19 || last > 26 || text.charCodeAt(last) !== LETTER_Z) return NONE;
  const between = text.charCodeAt(10);
  if (between !== LETTER_T && between !== SPACE) return NONE;
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return NONE;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return NONE;
  const year = pair(text, 0) * 100 + pair(text, 2);
  if (!isDate(year, pair(text, 5), pair(text, 8))) return NONE;
  if (!(pair(text, 11) <= 23 && pair(text, 14) <= 59 && pair(text, 17) <= 59)) return NONE;
  return last === 19 ? 19 : fractionEnd(text, last);
}

/** Where the fraction ends without the zeros that mean nothing. */
function fractionEnd(text: string, last: number): number {
  if (text.charCodeAt(19) !== POINT || last === 20) return NONE;
  let end = 19;
  for (let place = 20; place < last; place++) {
    const digit = text.charCodeAt(place) - 0x30;
    if (digit < 0 || digit > 9) return NONE;
    if (digit !== 0) end = place + 1;
  }
  return end;
}

/** The number of two digits; not a number where they are none. */
function pair(text: string, place: number): number {
  const [tens, ones] = [text.charCodeAt(place) - 0x30, text.charCodeAt(place + 1) - 0x30];
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? Number.NaN : tens * 10 + ones;
}

function isDate(year: number, month: number, day: number): boolean {
  // Written so that what is not a number is no date.
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= (DAYS[month - 1] ?? 0))) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month !== 2 || day < 29 || isLeap;
}

function offsetOf(zone: string): number {
  if (zone === 'Z' || zone === 'z' || zone === 'UTC') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const [hours, minutes] = [Number(digits.slice(0, 2)), Number(digits.slice(2))];
  if (hours > 18 || minutes > 59) return Number.NaN;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** A written time in UTC, `YYYY-MM-DD HH:MM:SS[.ffffff]+00`; `undefined` outside of the years 0001 to 9999. */
export function inUtc(time: WrittenTime, offset: number): string | undefined {
  if (offset === 0) return `${time.date} ${clock(time)}${time.fraction}+00`;
  return utcText(utcMs(time) - offset * MINUTE_MS, time.fraction);
}

function clock({ hour, minute, second }: WrittenTime): string {
  return `${two(hour)}:${two(minute)}:${two(second)}`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

function utcMs({ year, month, day, hour, minute, second }: WrittenTime): number {
  const date = new Date(0);
  // Not Date.UTC, for which the years 1 to 99 are those of the last century.
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second);
}

/** Milliseconds since 1970 as time in UTC; `fraction` replaces that of the milliseconds where it is given. */
export function utcText(ms: number, fraction?: string): string | undefined {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return undefined;
  const text = date.toISOString();
  const own = fraction ?? text.slice(19, 23).replace(/\.?0+$/, '');
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${own}+00`;
}
