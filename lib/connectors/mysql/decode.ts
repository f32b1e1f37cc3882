import type { Value } from '../../core/batch';
import { Fault } from '../../core/fault';

/** Reads a cell, which is the text from `start` to `end`, as a value. */
export type Decode = (buffer: Buffer, start: number, end: number) => Value;

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
const FEW_DIGITS = 15;
const FLOAT_DIGITS = [6, 7, 8, 9];

export const decodeText: Decode = (buffer, start, end) => buffer.toString('utf8', start, end);
export const decodePlain: Decode = (buffer, start, end) => buffer.toString('latin1', start, end);
export const decodeNumber: Decode = (buffer, start, end) => Number(buffer.toString('latin1', start, end));

/** A whole number of at most 15 digits. */
export const decodeInteger: Decode = smallInteger;

export const decodeBigint: Decode = (buffer, start, end) =>
  BigInt(end - start <= FEW_DIGITS ? smallInteger(buffer, start, end) : buffer.toString('latin1', start, end));

function smallInteger(buffer: Buffer, start: number, end: number): number {
  const negative = buffer[start] === MINUS;
  let value = 0;
  for (let at = negative ? start + 1 : start; at < end; at++) value = value * 10 + ((buffer[at] ?? ZERO) - ZERO);
  return negative ? -value : value;
}

export const decodeBoolean: Decode = (buffer, start, end) => smallInteger(buffer, start, end) !== 0;

/** Zeros in front, of ZEROFILL, are no part of the number. */
export const decodeFilledDecimal: Decode = (buffer, start, end) =>
  buffer.toString('latin1', start, end).replace(/^0+(?=\d)/, '');

/** The shortest number that is this float of 4 bytes, which comes as a double. */
export const decodeFloat: Decode = (buffer, start, end) => {
  const exact = Number(buffer.toString('latin1', start, end));
  for (const digits of FLOAT_DIGITS) {
    const short = Number(exact.toPrecision(digits));
    if (Math.fround(short) === exact) return short;
  }
  return exact;
};

/** A copy, as the buffer holds much else. */
export const decodeBytes: Decode = (buffer, start, end) => Buffer.from(buffer.subarray(start, end));

export const decodeBits: Decode = (buffer, start, end) => bits(buffer, start, end);
export const decodeManyBits: Decode = (buffer, start, end) => String(bits(buffer, start, end));

function bits(buffer: Buffer, start: number, end: number): bigint {
  let value = 0n;
  for (let at = start; at < end; at++) value = (value << 8n) | BigInt(buffer[at] ?? 0);
  return value;
}

const SRID_BYTES = 4;
const HAS_SRID = 0x20000000;

/** The server's form (SRID, then WKB) as WKB, or as EWKB where there is an SRID. */
export const decodeGeometry: Decode = (buffer, start, end) => {
  const srid = buffer.readUInt32LE(start);
  const wkb = buffer.subarray(start + SRID_BYTES, end);
  if (srid === 0) return Buffer.from(wkb);
  const extended = Buffer.alloc(wkb.length + SRID_BYTES);
  wkb.copy(extended, 0, 0, 5);
  extended.writeUInt32LE((wkb.readUInt32LE(1) | HAS_SRID) >>> 0, 1);
  extended.writeUInt32LE(srid, 5);
  wkb.copy(extended, 9, 5);
  return extended;
};

/** What is done with a date that does not exist. */
export type ZeroDates = 'fail' | 'null' | 'text';

/** Reads `YYYY-MM-DD`, and what may follow it; `suffix` says the zone. */
export function dateDecoder(column: string, policy: ZeroDates, suffix: string): Decode {
  return (buffer, start, end) => {
    if (policy !== 'text' && !exists(buffer, start))
      return missingDate(column, policy, buffer.toString('latin1', start, end));
    const last = policy === 'text' ? end : withoutZeros(buffer, start, end);
    const text = buffer.toString('latin1', start, last);
    if (policy === 'text') return text;
    return buffer[start] === ZERO && text.startsWith('0000') ? `0001${text.slice(4)}${suffix} BC` : text + suffix;
  };
}

function missingDate(column: string, policy: ZeroDates, text: string): null {
  if (policy === 'null') return null;
  throw new Fault('data', 'zero_date', `column ${column} holds ${text}, which is no date`, {
    hint: 'Correct the row, or say what is to be done with such dates by "zero_dates": "null" or "text".',
  });
}

/** Fractions are written without zeros at their end. */
function withoutZeros(buffer: Buffer, start: number, end: number): number {
  if (end - start <= 19) return end;
  let last = end;
  while (buffer[last - 1] === ZERO) last--;
  return buffer[last - 1] === POINT ? last - 1 : last;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function exists(buffer: Buffer, start: number): boolean {
  const month = twoDigits(buffer, start + 5);
  const day = twoDigits(buffer, start + 8);
  if (month < 1 || month > 12 || day < 1) return false;
  if (day <= (DAYS[month - 1] ?? 0)) return true;
  if (month !== 2 || day !== 29) return false;
  const year = twoDigits(buffer, start) * 100 + twoDigits(buffer, start + 2);
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function twoDigits(buffer: Buffer, at: number): number {
  return ((buffer[at] ?? ZERO) - ZERO) * 10 + ((buffer[at + 1] ?? ZERO) - ZERO);
}
