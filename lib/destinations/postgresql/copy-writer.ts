const BACKSLASH = 0x5c;
const DEL = 0x7f;
const LAST_ESCAPED_CONTROL = 0x0d;
const TWO_BYTES_END = 0x800;
const SURROGATES = 0xd800;
const SURROGATES_END = 0xe000;
const LAST_UNIT = 0xffff;
const MOST_BYTES_PER_UNIT = 3;
/** Pieces of a line are too short for calls of the system: they are copied by so many bytes at a time. */
const WORD = 8;

const NO_BYTES = Buffer.alloc(0);
const NO_VIEW = viewOf(NO_BYTES);

/** Letters behind the backslash, by the character that they stand for. */
const LETTERS: { readonly [code: number]: number } = { 9: 0x74, 10: 0x6e, 13: 0x72, [BACKSLASH]: BACKSLASH };

/** What was found in a text while it was written. */
export const Found = { Nothing: 0, Backslash: 1, Nul: 2, HalfPair: 3 } as const;

/**
 * Builds COPY's text format in a buffer. A text is checked, escaped and encoded in one pass over its characters: for the
 * short texts of most cells that is faster than asking for each of these by a call of its own.
 */
export class CopyWriter {
  readonly #size: number;
  #bytes = NO_BYTES;
  #view = NO_VIEW;
  #at = 0;

  /** Buffers hold `size` bytes and grow where a line needs more. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Bytes written since the last {@link take}. */
  get length(): number {
    return this.#at;
  }

  /** Forgets all that was written behind `length`. */
  rewind(length: number): void {
    this.#at = length;
  }

  /** Gives away what was written. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#bytes = NO_BYTES;
    this.#view = NO_VIEW;
    this.#at = 0;
    return taken;
  }

  /** Writes a character that needs no escape. */
  byte(code: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = code;
  }

  /** Writes ASCII that needs no escape. */
  ascii(text: string): void {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
    this.#at = at;
  }

  /** Writes a text with its escapes; tells what it holds, and has not written it where that cannot be stored. */
  text(text: string): number {
    this.#reserve(text.length * MOST_BYTES_PER_UNIT);
    const bytes = this.#bytes;
    let at = this.#at;
    let found: number = Found.Nothing;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > LAST_ESCAPED_CONTROL && code <= DEL && code !== BACKSLASH) {
        bytes[at++] = code;
      } else if (code <= DEL) {
        if (code === 0) return Found.Nul;
        if (code === BACKSLASH) found = Found.Backslash;
        at = writeControl(bytes, at, code);
      } else if (code < SURROGATES || code >= SURROGATES_END) {
        at = writeWide(bytes, at, code);
      } else {
        const point = text.codePointAt(index++) ?? 0;
        if (point <= LAST_UNIT) return Found.HalfPair;
        at = writePair(bytes, at, point);
      }
    }
    this.#at = at;
    return found;
  }

  /** Writes bytes of UTF-8 that have their escapes. */
  escaped(from: DataView, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at = at + length;
    if (length < WORD) {
      for (let index = 0; index < length; index++) bytes[at + index] = from.getUint8(start + index);
      return;
    }
    const view = this.#view;
    const last = length - WORD;
    for (let index = 0; index < last; index += WORD) copyWord(from, start + index, view, at + index);
    // The last word may overlap the one before.
    copyWord(from, start + last, view, at + last);
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(needed <= this.#size ? this.#size : needed * 2);
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

/** The same bytes, to be read and written several at a time. */
export function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}

/**
 * Eight bytes at once are a double. One that is not a number need not keep its bits, but would have 0x7f or 0xff as its last
 * byte and 0xf0 or more before it, and so no UTF-8 is one.
 */
function copyWord(from: DataView, start: number, to: DataView, at: number): void {
  to.setFloat64(at, from.getFloat64(start, true), true);
}

function writeControl(bytes: Uint8Array, at: number, code: number): number {
  const letter = LETTERS[code];
  let end = at;
  if (letter !== undefined) bytes[end++] = BACKSLASH;
  bytes[end++] = letter ?? code;
  return end;
}

/** UTF-8 of a character from U+0080 to U+FFFF. */
function writeWide(bytes: Uint8Array, at: number, code: number): number {
  let end = at;
  if (code < TWO_BYTES_END) {
    bytes[end++] = 0xc0 | (code >> 6);
  } else {
    bytes[end++] = 0xe0 | (code >> 12);
    bytes[end++] = 0x80 | ((code >> 6) & 0x3f);
  }
  bytes[end++] = 0x80 | (code & 0x3f);
  return end;
}

/** UTF-8 of a character above U+FFFF. */
function writePair(bytes: Uint8Array, at: number, point: number): number {
  bytes[at] = 0xf0 | (point >> 18);
  bytes[at + 1] = 0x80 | ((point >> 12) & 0x3f);
  bytes[at + 2] = 0x80 | ((point >> 6) & 0x3f);
  bytes[at + 3] = 0x80 | (point & 0x3f);
  return at + 4;
}
