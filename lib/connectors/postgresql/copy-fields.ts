const TAB = 0x09;
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

/**
 * The fields of COPY's text format, one after the other. Bytes are looked at once: most fields are ASCII without escapes,
 * and are cut out of a text with a character for each byte, so that they take a byte for each in memory, too.
 */
export class CopyFields {
  #bytes: Buffer = Buffer.alloc(0);
  #text = '';
  #at = 0;
  #end = 0;
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  /** Takes whole lines. */
  reset(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#text = bytes.toString('latin1');
    this.#at = 0;
  }

  /** Length of the next line, with its newline; 0 behind the last. */
  lineLength(): number {
    this.#end = this.#text.indexOf('\n', this.#at);
    return this.#end < 0 ? 0 : this.#end + 1 - this.#at;
  }

  /** Whether all fields of the line are read. */
  get lineDone(): boolean {
    return this.#at > this.#end;
  }

  /** How many fields the line has. */
  count(): number {
    const start = this.#text.lastIndexOf('\n', this.#end - 1) + 1;
    return this.#text.slice(start, this.#end).split('\t').length;
  }

  /** The whole of the fields that are not yet read, with the tabs between them. */
  rest(): string {
    const rest = this.#text.slice(this.#at, this.#end);
    this.#at = this.#end + 1;
    return rest;
  }

  /** A field of any characters. */
  text(): string | null {
    const bytes = this.#bytes;
    const start = this.#at;
    const end = this.#end;
    let at = start;
    let seen = 0;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === TAB) break;
      if (byte === BACKSLASH) return this.#escaped(start);
      seen |= byte;
    }
    this.#at = at + 1;
    return seen < ASCII_END ? this.#text.slice(start, at) : bytes.toString('utf8', start, at);
  }

  /** A field that holds neither escapes nor anything but ASCII. */
  plain(): string | null {
    const start = this.#at;
    const tab = this.#text.indexOf('\t', start);
    const end = tab < 0 || tab > this.#end ? this.#end : tab;
    this.#at = end + 1;
    return this.#isNull(start, end) ? null : this.#text.slice(start, end);
  }

  /** A whole number. */
  integer(): number | string | null {
    const bytes = this.#bytes;
    const start = this.#at;
    const end = this.#end;
    const negative = bytes[start] === MINUS;
    let at = negative ? start + 1 : start;
    let value = 0;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at - start > SAFE_DIGITS || at === start || (at < end && bytes[at] !== TAB)) return this.plain();
    this.#at = at + 1;
    return negative ? -value : value;
  }

  #isNull(start: number, end: number): boolean {
    return end - start === NULL_LENGTH && this.#bytes[start] === BACKSLASH && this.#bytes[start + 1] === CAPITAL_N;
  }

  #escaped(start: number): string | null {
    const bytes = this.#bytes;
    const tab = this.#text.indexOf('\t', start);
    const end = tab < 0 || tab > this.#end ? this.#end : tab;
    this.#at = end + 1;
    if (this.#isNull(start, end)) return null;
    const into = end - start > SCRATCH_BYTES ? Buffer.allocUnsafeSlow(end - start) : this.#scratch;
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
