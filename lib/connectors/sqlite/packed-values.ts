import { isUtf8 } from 'node:buffer';
import type { Value } from '../../core/batch';
import { plainDecimal, realText } from './cells';
import { END, SCALES } from './packed-sql';
import type { Form } from './types';

const MINUS = 0x2d;
const ZERO = 0x30;
const ASCII_END = 0x80;
const WORD = 4;
const HIGH_BITS = 0x80808080 | 0;
/** Numbers of so many digits are exact. */
const SAFE_DIGITS = 15;
/** Scaled reals, which have at most 19, are taken in two pieces. */
const HIGH_DIGITS = 9;
const REPLACEMENT = '\ufffd';
/** By what ends a real, what it has to be multiplied by. */
const FACTORS: (number | undefined)[] = [];
for (const { end, power } of SCALES) FACTORS[end] = 2 ** -power;

/** Takes the next value of a form. */
export type Unpack = (values: PackedValues) => Value;

/** How each form is unpacked; to what its decoder makes of the cell itself. */
export const UNPACKERS: { readonly [form in Form]: Unpack } = {
  int64: (values) => values.integer(),
  float64: (values) => values.real(),
  decimal: (values) => values.realOrText(plainDecimal),
  text: (values) => values.text(),
  bytes: (values) => {
    const digits = values.text();
    return digits === null ? null : Buffer.from(digits, 'hex');
  },
  any: (values) => values.realOrText(realText),
};

/**
 * Values packed by SQL, one after the other. Most are ASCII, and are cut out of a text with a character for each byte, so that
 * they take a byte for each in memory, too.
 */
export class PackedValues {
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #text = '';
  #at = 0;
  #right = true;

  reset(bytes: Uint8Array): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#text = this.#bytes.toString('latin1');
    this.#at = 0;
    this.#right = true;
  }

  /** How many bytes were taken. */
  get taken(): number {
    return this.#at;
  }

  /** Whether what was taken is all there is, and all of it right; until then nothing that was taken counts. */
  get complete(): boolean {
    return this.#right && this.#at === this.#bytes.length;
  }

  text(): string | null {
    const bytes = this.#bytes;
    const start = this.#at;
    const ascii = this.#endOfAscii(start);
    const at = this.#endOf(ascii);
    this.#at = at + 1;
    if (bytes[at] !== END.value) return this.#none(at);
    return at === ascii ? this.#text.slice(start, at) : this.#decoded(start, at);
  }

  /** The next byte that is no ASCII, or the end; looks at four bytes at a time. */
  #endOfAscii(start: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const last = bytes.length - WORD;
    let at = start;
    while (at <= last && (view.getInt32(at) & HIGH_BITS) === 0) at += WORD;
    while ((bytes[at] ?? ASCII_END) < ASCII_END) at++;
    return at;
  }

  integer(): bigint | null {
    const bytes = this.#bytes;
    const start = this.#at;
    const first = bytes[start] === MINUS ? start + 1 : start;
    let at = first;
    let value = 0;
    for (; at < bytes.length; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#at = at + 1;
    if (bytes[at] !== END.value || at === first) return this.#none(at);
    return BigInt(at - first > SAFE_DIGITS ? this.#text.slice(start, at) : first > start ? -value : value);
  }

  real(): number | null {
    const bytes = this.#bytes;
    const start = this.#at;
    const first = bytes[start] === MINUS ? start + 1 : start;
    let at = first;
    let high = 0;
    let low = 0;
    let shift = 1;
    for (; at < bytes.length; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      if (at - first < HIGH_DIGITS) {
        high = high * 10 + digit;
      } else {
        low = low * 10 + digit;
        shift *= 10;
      }
    }
    this.#at = at + 1;
    const factor = FACTORS[bytes[at] ?? 0];
    if (factor === undefined) return this.#none(at);
    // Exact: 10^10 has 24 bits before its zeros, and a `high` before ten digits 29; the sum is known to have 53.
    const number = high * shift + low;
    return (first > start ? -number : number) * factor;
  }

  /** A real as what it is made, or else a text. */
  realOrText(made: (real: number) => string): string | null {
    if (FACTORS[this.#bytes[this.#endOf(this.#at)] ?? 0] === undefined) return this.text();
    const real = this.real();
    return real === null ? null : made(real);
  }

  #endOf(start: number): number {
    const bytes = this.#bytes;
    let at = start;
    while (at < bytes.length && (bytes[at] as number) < END.first) at++;
    return at;
  }

  #none(at: number): null {
    if (this.#bytes[at] !== END.null) this.#right = false;
    return null;
  }

  #decoded(start: number, at: number): string {
    const text = this.#bytes.toString('utf8', start, at);
    // It also stands for what is no text.
    if (text.includes(REPLACEMENT) && !isUtf8(this.#bytes.subarray(start, at))) this.#right = false;
    return text;
  }
}
