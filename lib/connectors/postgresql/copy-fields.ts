const BACKSLASH = 0x5c;
const CAPITAL_N = 0x4e;
const MINUS = 0x2d;
const ZERO = 0x30;
const ASCII_END = 0x80;
/** Numbers of so many digits are exact. */
const SAFE_DIGITS = 15;
const SCRATCH_BYTES = 64 * 1024;
const NULL_LENGTH = 2;

/** What stands for each letter behind a backslash, where it is not the letter itself. */
const ESCAPED = new Map(
  Object.entries({ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }).map(([letter, character]) => [
    letter.charCodeAt(0),
    character.charCodeAt(0),
  ]),
);

// Used only while one field is decoded.
let scratch: Buffer | undefined;

/**
 * The fields of COPY's text format. Most are ASCII without escapes, and are cut out of a text with a character for each
 * byte, so that they take a byte for each in memory, too.
 */
export class CopyFields {
  readonly #bytes: Buffer;
  readonly #text: string;
  #start = 0;
  #end = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#text = bytes.toString('latin1');
  }

  /** Goes to the field at these places; the readers then read it. */
  seek(start: number, end: number): this {
    this.#start = start;
    this.#end = end;
    return this;
  }

  /** A field of any characters. */
  text(): string | null {
    const bytes = this.#bytes;
    const start = this.#start;
    const end = this.#end;
    let seen = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === BACKSLASH) return this.#escaped();
      seen |= byte;
    }
    return seen < ASCII_END ? this.#text.slice(start, end) : bytes.toString('utf8', start, end);
  }

  /** A field that holds neither escapes nor anything but ASCII. */
  plain(): string | null {
    return this.#isNull() ? null : this.#text.slice(this.#start, this.#end);
  }

  /** A whole number. */
  integer(): number | string | null {
    const bytes = this.#bytes;
    const start = this.#start;
    const end = this.#end;
    const negative = bytes[start] === MINUS;
    let value = 0;
    if (end - start > SAFE_DIGITS || end === start) return this.plain();
    for (let at = negative ? start + 1 : start; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return this.plain();
      value = value * 10 + digit;
    }
    return negative ? -value : value;
  }

  #isNull(): boolean {
    const start = this.#start;
    return (
      this.#end - start === NULL_LENGTH && this.#bytes[start] === BACKSLASH && this.#bytes[start + 1] === CAPITAL_N
    );
  }

  #escaped(): string | null {
    if (this.#isNull()) return null;
    const bytes = this.#bytes;
    const start = this.#start;
    const end = this.#end;
    const into = scratchFor(end - start);
    let length = 0;
    let seen = 0;
    for (let at = start; at < end; at++) {
      let byte = bytes[at] as number;
      if (byte === BACKSLASH) {
        byte = bytes[++at] as number;
        byte = ESCAPED.get(byte) ?? byte;
      }
      seen |= byte;
      into[length++] = byte;
    }
    return into.toString(seen < ASCII_END ? 'latin1' : 'utf8', 0, length);
  }
}

function scratchFor(length: number): Buffer {
  if (length > SCRATCH_BYTES) return Buffer.allocUnsafeSlow(length);
  scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  return scratch;
}
