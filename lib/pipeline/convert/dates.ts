import { DateTime, IANAZone } from 'luxon';
import type { Column, ColumnType } from '../../core/schema';
import type { Conversion } from '../../core/transformations';
import { type Convert, FAILED, type MakeConverter } from './converter';
import { inUtc, isPlainUtc, plainUtc, readIso, utcText, type WrittenTime } from './iso-time';
import { plainDecimal } from './plain-decimal';

const NUMBERS: ReadonlySet<ColumnType> = new Set(['int32', 'int64', 'float64', 'decimal']);
const EPOCHS: { readonly [format: string]: number } = { epoch_seconds: 6, epoch_milliseconds: 3 };
const FINER_THAN_MILLISECONDS = /:\d\d[.,]\d{3}0*[1-9]/;

/** Reads a text or number as a time in UTC, `YYYY-MM-DD HH:MM:SS[.ffffff]+00`; `undefined` when it is none. */
type ReadTime = (text: string) => string | undefined;

/** `datetime`: a point in time, kept with microseconds in UTC. */
export const toDatetime: MakeConverter = (options, from) => {
  const problem = 'is not a date and time in the given format';
  if (from.type === 'timestamptz') return { type: 'timestamptz', problem };
  if (from.type === 'timestamp' || from.type === 'date') {
    const read = isoReader(options.time_zone ?? 'UTC');
    if (typeof read === 'string') return read;
    return { type: 'timestamptz', problem, convert: (value) => stored(String(value), read.time) };
  }
  const read = timeReader(options, from);
  if (read === undefined || typeof read === 'string') return read;
  const convert: Convert = (value) => read(String(value)) ?? FAILED;
  const { format = 'iso' } = options;
  return { type: 'timestamptz', problem, convert, ...(format === 'iso' && { isPlain: isPlainUtc }) };
};

/** `date`: the day, of a time the one in the zone that was given. */
export const toDate: MakeConverter = (options, from) => {
  const problem = 'is not a date in the given format';
  if (from.type === 'date') return { type: 'date', problem };
  if (from.type === 'timestamp') return { type: 'date', problem, convert: (value) => dayOf(String(value)) };
  const zone = options.time_zone ?? 'UTC';
  if (!IANAZone.isValidZone(zone)) return unknownZone(zone);
  const inZone = (utc: string) => (zone === 'UTC' ? utc.slice(0, 10) : dayInZone(utc, zone));
  if (from.type === 'timestamptz') {
    const convert: Convert = (value) =>
      /^-?inf| BC$/.test(String(value)) ? dayOf(String(value)) : inZone(String(value));
    return { type: 'date', problem, convert };
  }
  const read = timeReader(options, from);
  if (read === undefined || typeof read === 'string') return read;
  const convert: Convert = (value) => {
    const text = String(value);
    // The day as it is written, where it names no other zone: no detour by midnight.
    const written = readIso(text);
    if (written !== undefined && written.offset === undefined && isIsoAsked(options)) return written.date;
    const utc = read(text);
    return utc === undefined ? FAILED : inZone(utc);
  };
  return { type: 'date', problem, convert };
};

function isIsoAsked({ format = 'iso' }: Conversion): boolean {
  return [format].flat().includes('iso');
}

function timeReader(options: Conversion, from: Column): ReadTime | string | undefined {
  const isNumber = NUMBERS.has(from.type);
  if (!isNumber && from.type !== 'text' && from.type !== 'json') return undefined;
  const formats = [options.format ?? 'iso'].flat();
  if (isNumber && !formats.some((format) => format in EPOCHS)) {
    return `"${from.name}" holds numbers: say what they count with "format": "epoch_seconds" or "epoch_milliseconds"`;
  }
  const readers: ReadTime[] = [];
  for (const format of formats) {
    const read = readerOf(format, options);
    if (typeof read === 'string') return read;
    readers.push(read);
  }
  const [only] = readers;
  return readers.length === 1 && only ? only : (text) => firstOf(readers, text);
}

function firstOf(readers: readonly ReadTime[], text: string): string | undefined {
  for (const read of readers) {
    const time = read(text);
    if (time !== undefined) return time;
  }
  return undefined;
}

function readerOf(format: string, { time_zone: zone = 'UTC', locale = 'en' }: Conversion): ReadTime | string {
  const digits = EPOCHS[format];
  if (digits !== undefined) return (text) => epochTime(text, digits);
  const iso = isoReader(zone);
  if (typeof iso === 'string') return iso;
  if (format === 'iso') return iso.text;
  const problem = formatProblem(format, locale);
  if (problem !== undefined) return problem;
  return (text) => {
    if (FINER_THAN_MILLISECONDS.test(text)) return undefined;
    const time = DateTime.fromFormat(text.trim(), format, { zone, locale });
    return time.isValid ? utcText(time.toMillis()) : undefined;
  };
}

/** A format that cannot read back what it writes is no format of a whole date. */
function formatProblem(format: string, locale: string): string | undefined {
  const sample = DateTime.fromObject({ year: 2024, month: 11, day: 25 }, { zone: 'UTC', locale });
  const back = DateTime.fromFormat(sample.toFormat(format), format, { zone: 'UTC', locale });
  if (back.isValid && back.year === 2024 && back.month === 11 && back.day === 25) return undefined;
  return `"${format}" is no format of a whole date; use Luxon's tokens, such as "yyyy-MM-dd HH:mm:ss" or "dd/MM/yyyy"`;
}

function isoReader(zone: string): { text: ReadTime; time(time: WrittenTime): string | undefined } | string {
  if (!IANAZone.isValidZone(zone)) return unknownZone(zone);
  const time = (written: WrittenTime) => {
    const { offset, year, month, day, hour, minute, second, fraction } = written;
    if (offset !== undefined || zone === 'UTC') return inUtc(written, offset ?? 0);
    return utcText(DateTime.fromObject({ year, month, day, hour, minute, second }, { zone }).toMillis(), fraction);
  };
  const text = (given: string) => {
    const plain = plainUtc(given);
    if (plain !== undefined) return plain;
    const written = readIso(given);
    return written && time(written);
  };
  return { text, time };
}

function unknownZone(zone: string): string {
  return `"${zone}" is no IANA time zone, such as "Europe/Berlin"`;
}

/** A stored time without zone, which may be one that ISO 8601 does not have. */
function stored(value: string, time: (written: WrittenTime) => string | undefined): string | typeof FAILED {
  if (value === 'infinity' || value === '-infinity') return value;
  const written = readIso(value);
  return (written && time(written)) ?? FAILED;
}

function epochTime(given: string, digits: number): string | undefined {
  const plain = plainDecimal(given);
  if (plain === undefined || !/^-?\d/.test(plain)) return undefined;
  const [whole = '', fraction = ''] = plain.replace('-', '').split('.');
  if (/[1-9]/.test(fraction.slice(digits))) return undefined;
  const size = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  const micros = plain.startsWith('-') ? -size : size;
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const fractionText = rest === 0n ? '' : `.${String(rest).padStart(6, '0').replace(/0+$/, '')}`;
  return utcText(Number((micros - rest) / 1000n), fractionText);
}

function dayOf(time: string): string {
  const bc = time.endsWith(' BC') ? ' BC' : '';
  return `${time.split(' ')[0]}${bc}`;
}

function dayInZone(utc: string, zone: string): string {
  return DateTime.fromSQL(utc, { zone: 'UTC' }).setZone(zone).toFormat('yyyy-MM-dd');
}
