import { isUtf8 } from 'node:buffer';
import type { Value } from '../../core/batch';
import type { Cell } from './driver';
import type { Form } from './types';

/** What a decoder says of a cell that has no value of its form. */
export const UNFIT: unique symbol = Symbol('unfit');

/** Turns a blob that holds text into it; `UNFIT` where it is no valid text. */
export type TextDecoding = (bytes: Uint8Array) => string | typeof UNFIT;

/** Turns a cell, selected by {@link expressionOf}, into the value of the column. */
export type Decode = (cell: Cell, text: TextDecoding) => Value | typeof UNFIT;

/**
 * The SQL that selects a column. Text is never selected as such: libsql cuts it at a NUL, and ends the process where it is
 * not UTF-8. What is then not to be told from text is selected as another type, and is found to be unfit.
 */
export function expressionOf(name: string, form: Form): string {
  const text = `when 'text' then cast(${name} as blob)`;
  if (form === 'bytes') return `case typeof(${name}) when 'blob' then ${name} when 'null' then null else 0 end`;
  if (form === 'text') return `case typeof(${name}) ${text} when 'blob' then 0 else ${name} end`;
  if (form === 'any') {
    return `case typeof(${name}) ${text} when 'blob' then cast('X''' || hex(${name}) || '''' as blob) else ${name} end`;
  }
  return `case typeof(${name}) ${text} else ${name} end`;
}

/** The decoder of each form. */
export const DECODERS: { readonly [form in Form]: Decode } = {
  int64: (cell) => (typeof cell === 'bigint' || cell === null ? cell : UNFIT),
  float64: (cell) => (typeof cell === 'number' || cell === null ? cell : UNFIT),
  decimal: (cell) => {
    if (typeof cell === 'bigint') return String(cell);
    if (typeof cell === 'number') return plainDecimal(cell);
    return cell === null ? null : UNFIT;
  },
  bytes: (cell) => (cell instanceof Uint8Array || cell === null ? cell : UNFIT),
  text: (cell, text) => {
    if (cell instanceof Uint8Array) return text(cell);
    return cell === null ? null : UNFIT;
  },
  any: (cell, text) => {
    if (cell instanceof Uint8Array) return text(cell);
    return typeof cell === 'number' ? realText(cell) : cell === null ? null : String(cell);
  },
};

/** How text is decoded that a database with this encoding holds. */
export function textDecoding(encoding: string): TextDecoding {
  if (encoding === 'UTF-8') {
    return (bytes) =>
      isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : UNFIT;
  }
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return (bytes) => {
    try {
      return decoder.decode(bytes);
    } catch {
      return UNFIT; // whoever asked says of which row it is
    }
  };
}

/** The shortest digits that give the number again, without an exponent. */
export function plainDecimal(number: number): string {
  const text = String(number);
  return text.includes('e') ? withoutExponent(text) : text;
}

function withoutExponent(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  const point = whole.length + Number(exponent);
  const digits = `${'0'.repeat(Math.max(0, 1 - point))}${whole}${fraction}`.padEnd(point, '0');
  const before = Math.max(point, 1);
  return `${sign}${digits.slice(0, before)}${digits.length > before ? `.${digits.slice(before)}` : ''}`;
}

/** As SQLite writes it: a real never looks like an integer. */
export function realText(number: number): string {
  const text = String(Object.is(number, -0) ? '-0' : number);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** About how many bytes a row takes. */
export function weigh(cells: readonly Cell[]): number {
  let bytes = 0;
  for (const cell of cells) bytes += cell instanceof Uint8Array ? cell.byteLength : 8;
  return bytes;
}
