import type { Value } from '../../core/batch';
import { Fault } from '../../core/fault';

/** Turns a cell of the driver that is not null into the value of the column. */
export type Decode = (cell: unknown) => Value;

export const asText: Decode = (cell) => String(cell);
export const asNumber: Decode = (cell) => Number(cell);
export const asBigint: Decode = (cell) => BigInt(String(cell));
export const asBoolean: Decode = (cell) => cell === true || cell === '1';
export const asBytes: Decode = (cell) => cell as Buffer;

const NEGATIVE_INFINITY = '-1e126';
// One more than the largest number that Oracle can hold.
const INFINITY = `1${'0'.repeat(126)}`;

/** The driver's text of a NUMBER, which has no zero before the point, and the infinities as numbers beyond all others. */
export const asDecimal: Decode = (cell) => {
  const text = String(cell);
  if (text === NEGATIVE_INFINITY) return '-Infinity';
  return text === INFINITY ? 'Infinity' : text.replace(/^(-?)\./, '$10.');
};

const FRACTION = /\.(\d+)$/;
const KEPT_DIGITS = 6;

/** What `TO_CHAR` gives with `SYYYY-MM-DD HH24:MI:SS.FF9`: a blank or a minus first. Zeros at the end are no part of it. */
export function asTime(name: string, zone: string): Decode {
  return (cell) => {
    const text = String(cell);
    const fraction = FRACTION.exec(text)?.[1]?.replace(/0+$/, '') ?? '';
    if (fraction.length > KEPT_DIGITS) throw tooFine(name, text.trim());
    return isoTime(text, zone);
  };
}

/** With all its digits. */
export function asFineTime(zone: string): Decode {
  return (cell) => isoTime(String(cell), zone);
}

function isoTime(text: string, zone: string): string {
  const time = text.replace(FRACTION, (fraction) => fraction.replace(/\.?0+$/, ''));
  return time.startsWith('-') ? `${time.slice(1)}${zone} BC` : `${time.trimStart()}${zone}`;
}

/** A time of ours as `SYYYY-MM-DD HH24:MI:SS.FF9` reads it; without a fraction for a `DATE`. */
export function oracleTime(text: string, digits: number): string {
  const isBefore = text.endsWith(' BC');
  const [whole = '', fraction = ''] = text.replace(/ BC$/, '').replace(/\+00$/, '').split('.');
  const time = digits === 0 ? whole : `${whole}.${fraction.padEnd(digits, '0')}`;
  return isBefore ? `-${time}` : time;
}

function tooFine(name: string, text: string): Fault {
  return new Fault('data', 'time_too_fine', `column ${name}: ${text} has more than six digits of a second`, {
    hint: 'Set nanoseconds to "text" to read such columns as text.',
  });
}
