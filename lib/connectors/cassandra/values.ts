import { Fault } from '../../core/fault';

const EPOCH_DAY = 2 ** 31;
const DAY_MS = 86_400_000n;
const MOST_SCALE = 20_000;

/** The number that bytes are, in two's complement. */
export function varintOf(bytes: Buffer): string {
  return signed(bytes).toString();
}

function signed(bytes: Buffer): bigint {
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
}

/** A decimal: four bytes of scale, then the number without its point. */
export function decimalOf(bytes: Buffer): string {
  const scale = bytes.readInt32BE(0);
  const unscaled = signed(bytes.subarray(4));
  if (unscaled === 0n && scale <= 0) return '0';
  if (Math.abs(scale) > MOST_SCALE) throw tooManyDigits(scale);
  if (scale <= 0) return `${unscaled}${'0'.repeat(-scale)}`;
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function tooManyDigits(scale: number): Fault {
  return new Fault('data', 'value_too_large', `a decimal with the exponent ${-scale} has too many digits`, {
    hint: `Exponents up to ${MOST_SCALE} are read; correct the value, or leave the table out.`,
  });
}

/** A date: days, counted from the middle of the range. */
export function dateOf(bytes: Buffer): string {
  const { day, bc } = calendarDay(bytes.readUInt32BE(0) - EPOCH_DAY);
  return day + bc;
}

/** A time of day: nanoseconds since midnight, shown with all nine digits. */
export function timeOf(bytes: Buffer): string {
  const nanoseconds = bytes.readBigInt64BE(0);
  return `${clock(nanoseconds / 1_000_000_000n)}.${(nanoseconds % 1_000_000_000n).toString().padStart(9, '0')}`;
}

/** A timestamp: milliseconds since 1970. */
export function timestampOf(bytes: Buffer): string {
  const milliseconds = bytes.readBigInt64BE(0);
  const ofDay = ((milliseconds % DAY_MS) + DAY_MS) % DAY_MS;
  const { day, bc } = calendarDay(Number((milliseconds - ofDay) / DAY_MS));
  const fraction = ofDay % 1000n === 0n ? '' : `.${(ofDay % 1000n).toString().padStart(3, '0')}`;
  return `${day} ${clock(ofDay / 1000n)}${fraction}+00${bc}`;
}

function clock(seconds: bigint): string {
  return [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => pad(Number(part), 2)).join(':');
}

// Days since 1970 to the proleptic Gregorian calendar, in eras of 400 years that begin in March. Dates of JavaScript end
// in the year 275760.
function calendarDay(days: number): { readonly day: string; readonly bc: string } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const date = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const full = year + era * 400 + (month <= 2 ? 1 : 0);
  return { day: `${pad(full > 0 ? full : 1 - full, 4)}-${pad(month, 2)}-${pad(date, 2)}`, bc: full > 0 ? '' : ' BC' };
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
