import type { Value } from '../../core/batch';
import { Fault } from '../../core/fault';

/** Turns a cell of the driver that is not null into the value of the column. */
export type Decode = (cell: unknown) => Value;

export const asText: Decode = (cell) => String(cell);
export const asNumber: Decode = (cell) => Number(cell);
export const asBigint: Decode = (cell) => BigInt(String(cell));
export const asBoolean: Decode = (cell) => cell === true || cell === '1';
export const asBytes: Decode = (cell) => cell as Buffer;
export const asUuid: Decode = (cell) => String(cell).toLowerCase();

const FRACTION = /\.(\d+)$/;

/** A time, with what follows it; zeros at its end are no part of it. */
export function asTime(name: string, zone: string): Decode {
  return (cell) => {
    const text = String(cell);
    const fraction = FRACTION.exec(text)?.[1] ?? '';
    if (fraction.length > 6 && !fraction.endsWith('0')) throw tooFine(name, text);
    return `${shortTime(text)}${zone}`;
  };
}

/** Without a seventh digit nothing is lost, so zeros stay away from the text as well. */
export function asFineTime(zone: string): Decode {
  return (cell) => `${shortTime(String(cell))}${zone}`;
}

function shortTime(text: string): string {
  return text.replace(FRACTION, (fraction) => fraction.replace(/\.?0+$/, ''));
}

function tooFine(name: string, text: string): Fault {
  return new Fault('data', 'time_too_fine', `column ${name}: ${text} has a seventh digit of a second`, {
    hint: 'Set seven_digits to "text" to read such columns as text.',
  });
}
