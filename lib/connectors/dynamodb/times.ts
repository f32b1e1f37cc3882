import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** When something was written, as precisely as it is known: milliseconds since 1970, from the first to behind the last. */
export interface Moment {
  readonly from: number;
  readonly until: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A time without a zone may be of any. */
const FARTHEST_ZONE_MS = 14 * HOUR_MS;
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;
/** Since 1970, in the unit that numbers of this size are in; smaller ones are no times. */
const UNITS: readonly { readonly least: number; readonly perMs: number }[] = [
  { least: 1e17, perMs: 1e6 },
  { least: 1e14, perMs: 1e3 },
  { least: 1e11, perMs: 1 },
  { least: 1e8, perMs: 1e-3 },
];
const END_OF_TIME = 1e20;

/** The moment that an attribute tells: a text of ISO 8601, or a number of seconds, milli-, micro- or nanoseconds. */
export function momentOf({ S, N }: AttributeValue): Moment | undefined {
  if (S !== undefined) return momentOfText(S);
  return N === undefined ? undefined : momentOfNumber(N);
}

function momentOfNumber(text: string): Moment | undefined {
  const number = Number(text);
  const unit = number < END_OF_TIME ? UNITS.find(({ least }) => number >= least) : undefined;
  if (unit === undefined) return undefined;
  const from = Math.floor(number / unit.perMs);
  const isWholeSecond = unit.perMs < 1 && Number.isInteger(number);
  return { from, until: from + (isWholeSecond ? 1000 : 1) };
}

function momentOfText(text: string): Moment | undefined {
  const match = ISO.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match;
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map((digits) => Number(digits ?? 0));
  const written = Date.UTC(y ?? 0, (mo ?? 1) - 1, d, h, mi, s) + Math.floor(Number(`0.${fraction || '0'}`) * 1000);
  const from = written - offsetMs(zone);
  if (Number.isNaN(from)) return undefined;
  const until = from + lengthMs(hour, second, fraction);
  return zone === undefined ? { from: from - FARTHEST_ZONE_MS, until: until + FARTHEST_ZONE_MS } : { from, until };
}

/** How long what is written lasts: a day, a minute, a second, or a part of one. */
function lengthMs(hour: string | undefined, second: string | undefined, fraction: string): number {
  if (hour === undefined) return DAY_MS;
  if (second === undefined) return 60_000;
  return Math.max(1, 10 ** (3 - fraction.length));
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const size = Number(digits.slice(0, 2)) * HOUR_MS + Number(digits.slice(2)) * 60_000;
  return zone.startsWith('-') ? -size : size;
}
