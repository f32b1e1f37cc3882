import { isUtf8 } from 'node:buffer';
import { BSON } from 'mongodb';
import { plainDecimal } from '../shared/documents/plain-decimal';

const REPLACEMENT = '\ufffd';
const STRING_HEADER = 4;
const BINARY_HEADER = 5;
const NO_MILLISECONDS = '.000';
const ISO_LENGTH = 24;
// PostgreSQL's calendar begins in 4713 BC, that of JavaScript ends in 275760.
const FIRST_YEAR = -4711;
const MAXIMUM_DATE = 8_640_000_000_000_000;

/** The text of a string, or `undefined` where its bytes are no UTF-8. */
export function stringAt(bytes: Buffer, start: number): string | undefined {
  const end = start + STRING_HEADER + bytes.readInt32LE(start) - 1;
  const text = bytes.toString('utf8', start + STRING_HEADER, end);
  const damaged = text.includes(REPLACEMENT) && !isUtf8(bytes.subarray(start + STRING_HEADER, end));
  return damaged ? undefined : text;
}

/** The bytes of a string, whatever they are. */
export function stringBytes(bytes: Buffer, start: number): Buffer {
  return bytes.subarray(start + STRING_HEADER, start + STRING_HEADER + bytes.readInt32LE(start) - 1);
}

/** The subtype of a binary value. */
export function subtypeAt(bytes: Buffer, start: number): number {
  return bytes[start + STRING_HEADER] ?? 0;
}

/** The content of a binary value, as a part of `bytes`. */
export function binaryAt(bytes: Buffer, start: number): Buffer {
  return bytes.subarray(start + BINARY_HEADER, start + BINARY_HEADER + bytes.readInt32LE(start));
}

/** Twelve bytes in hexadecimal. */
export function objectIdAt(bytes: Buffer, start: number): string {
  return bytes.toString('hex', start, start + 12);
}

/** Sixteen bytes as a UUID. */
export function uuidOf(content: Buffer): string {
  return content.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The driver's own text of a decimal, as in Extended JSON. */
export function decimalAt(bytes: Buffer, start: number): string {
  return new BSON.Decimal128(Uint8Array.from(bytes.subarray(start, start + 16))).toString();
}

const EXPONENT_SHIFT = 49n;
const EXPONENT_BIAS = 6176;
const COEFFICIENT_MASK = (1n << EXPONENT_SHIFT) - 1n;
const LARGEST_COEFFICIENT = 10n ** 34n - 1n;

/** A decimal without exponent, with all its digits. */
export function plainDecimalAt(bytes: Buffer, start: number): string {
  const high = bytes.readBigUInt64LE(start + 8);
  const coefficient = ((high & COEFFICIENT_MASK) << 64n) | bytes.readBigUInt64LE(start);
  const exponent = Number((high >> EXPONENT_SHIFT) & 0x3fffn) - EXPONENT_BIAS;
  // Two bits for what is no number, and what is no valid one: seldom, so the driver's own reading will do.
  const isSpecial = ((high >> 61n) & 3n) === 3n || coefficient > LARGEST_COEFFICIENT;
  if (isSpecial || exponent > 0) return plainDecimal(decimalAt(bytes, start));
  const sign = high >> 63n === 1n ? '-' : '';
  if (exponent === 0) return `${sign}${coefficient}`;
  const digits = String(coefficient).padStart(1 - exponent, '0');
  return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`;
}

/** Milliseconds since 1970 as `timestamptz`, or `undefined` where a calendar has no such day. */
export function timestamptz(milliseconds: bigint): string | undefined {
  if (milliseconds > MAXIMUM_DATE || milliseconds < -MAXIMUM_DATE) return undefined;
  const date = new Date(Number(milliseconds));
  const year = date.getUTCFullYear();
  if (year < FIRST_YEAR) return undefined;
  const iso = date.toISOString();
  if (iso.length === ISO_LENGTH && year > 0) {
    return `${iso.slice(0, 10)} ${iso.slice(11, iso.endsWith('.000Z') ? 19 : 23)}+00`;
  }
  // After the year, which has six digits and a sign where it has not four.
  const rest = iso.slice(iso.indexOf('-', 1), -1).replace('T', ' ').replace(NO_MILLISECONDS, '');
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return `${shown}${rest}+00${year > 0 ? '' : ' BC'}`;
}
