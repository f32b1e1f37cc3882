import type { Column, ColumnType } from '../../core/schema';
import type { Conversion } from '../../core/transformations';
import { type Convert, type Converter, FAILED, type MakeConverter } from './converter';
import { plainDecimal } from './plain-decimal';

const FROM: ReadonlySet<ColumnType> = new Set(['bool', 'int32', 'int64', 'float64', 'decimal', 'text', 'json']);
const SHORT_INTEGER = /^[+-]?\d{1,15}$/;

const INT32 = { least: -2_147_483_648n, most: 2_147_483_647n };
const INT64 = { least: -9_223_372_036_854_775_808n, most: 9_223_372_036_854_775_807n };

/** `integer`: -2,147,483,648 to 2,147,483,647. */
export const toInteger: MakeConverter = (options, from) =>
  whole(
    options,
    from,
    'int32',
    INT32,
    (value) => Number(value),
    'is not a whole number of 32 bits (use "bigint" for larger ones)',
  );

/** `bigint`: whole numbers of 64 bits. */
export const toBigint: MakeConverter = (options, from) =>
  whole(
    options,
    from,
    'int64',
    INT64,
    (value) => BigInt(value),
    'is not a whole number of 64 bits (use "decimal" for larger ones)',
  );

function whole(
  options: Conversion,
  from: Column,
  type: 'int32' | 'int64',
  { least, most }: typeof INT32,
  make: (value: number | bigint) => number | bigint,
  problem: string,
): Converter | undefined {
  if (!FROM.has(from.type)) return undefined;
  if (from.type === type) return { type, problem };
  const read = textReader(options);
  const fits = (value: bigint) => (value < least || value > most ? FAILED : make(value));
  const [smallest, largest] = [Number(least), Number(most)];
  const fitsNumber = (value: number) =>
    Number.isSafeInteger(value) && value >= smallest && value <= largest ? make(value) : FAILED;
  const ofText = (text: string) => {
    if (SHORT_INTEGER.test(text)) return fitsNumber(Number(text));
    const plain = read(text);
    const digits = plain === undefined ? undefined : wholePart(plain);
    return digits === undefined ? FAILED : fits(BigInt(digits));
  };
  const convert: Convert = (value) => {
    if (typeof value === 'string') return ofText(value);
    if (typeof value === 'number') return fitsNumber(value);
    if (typeof value === 'boolean') return make(value ? 1 : 0);
    return typeof value === 'bigint' ? fits(value) : FAILED;
  };
  return { type, convert, isPlain: isShortInteger, problem };
}

const [MINUS, ZERO] = [0x2d, 0x30];
/** Any number of so many characters fits into 32 bits. */
const SHORT = 9;

/** Whether a text is a whole number of few digits, as PostgreSQL writes it. */
function isShortInteger(text: string): boolean {
  const { length } = text;
  const first = text.charCodeAt(0) === MINUS ? 1 : 0;
  if (length === first || length > SHORT) return false;
  for (let at = first; at < length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return false;
  }
  return text.charCodeAt(first) !== ZERO || length === 1;
}

function wholePart(plain: string): string | undefined {
  const [digits = '', fraction = ''] = plain.split('.');
  return /^-?\d+$/.test(digits) && /^0*$/.test(fraction) ? digits : undefined;
}

/** `decimal`: any number with all its digits. */
export const toDecimal: MakeConverter = (options, from) => {
  const problem = 'is not a decimal number';
  if (!FROM.has(from.type)) return undefined;
  if (from.type === 'decimal') return { type: 'decimal', problem };
  const read = textReader(options);
  const convert: Convert = (value) => {
    if (typeof value === 'boolean') return value ? '1' : '0';
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'number' || typeof value === 'string') return read(String(value)) ?? FAILED;
    return FAILED;
  };
  return { type: 'decimal', convert, problem };
};

const SPECIAL_FLOATS = new Set(['NaN', 'Infinity', '-Infinity']);

/** `float`: a double. Digits beyond its precision are rounded, as the type says. */
export const toFloat: MakeConverter = (options, from) => {
  const problem = 'is not a number';
  if (!FROM.has(from.type)) return undefined;
  if (from.type === 'float64') return { type: 'float64', problem };
  const read = textReader(options);
  const convert: Convert = (value) => {
    if (typeof value === 'boolean') return value ? 1 : 0;
    if (typeof value === 'bigint' || typeof value === 'number') return Number(value);
    if (typeof value !== 'string') return FAILED;
    if (SPECIAL_FLOATS.has(value)) return Number(value);
    const plain = read(value);
    const number = plain === undefined ? Number.NaN : Number(plain);
    return Number.isFinite(number) ? number : FAILED;
  };
  return { type: 'float64', convert, problem };
};

/** Reads a number as people write it, as plain decimal text; `undefined` when it is none. */
function textReader({ decimal_separator: separator }: Conversion): (text: string) => string | undefined {
  if (separator === undefined) return plainDecimal;
  const grouping = separator === '.' ? /[,\s_'’]/g : /[.\s_'’]/g;
  return (text) => plainDecimal(text.replace(grouping, '').replace(separator, '.'));
}
