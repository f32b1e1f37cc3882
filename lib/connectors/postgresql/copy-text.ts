import { isUtf8 } from 'node:buffer';
import type { Row, TextRows, Value } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { Column } from '../../core/schema';
import { CopyFields } from './copy-fields';
import { fieldReader, type ReadField } from './values';

const TAB = 9;
const NEWLINE = 10;
const FIRST_ROWS = 64;
const WORD = 4;
const ABOVE_NEWLINE = 0x0b0b0b0b;
const HIGH_BITS = 0x80808080 | 0;

/** Lines of COPY's text format, of which it is known where the fields are. */
export class CopyLines implements TextRows {
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
  readonly length: number;
  readonly #readers: readonly ReadField[];
  #fields: CopyFields | undefined;
  #rows: Row[] | undefined;

  constructor(readers: readonly ReadField[], bytes: Buffer, starts: Uint32Array, length: number) {
    this.#readers = readers;
    this.bytes = bytes;
    this.starts = starts;
    this.length = length;
  }

  get width(): number {
    return this.#readers.length;
  }

  /** All rows, decoded once. */
  get rows(): Row[] {
    this.#rows ??= Array.from({ length: this.length }, (_, index) => this.row(index));
    return this.#rows;
  }

  cell(row: number, column: number): Value {
    return this.#read(column, row * (this.width + 1) + column);
  }

  fill(rows: readonly Row[], column: number): void {
    const { starts, width } = this;
    const fields = this.#fieldsOf();
    const read = this.#readers[column] as ReadField;
    for (let row = 0, at = column; row < this.length; row++, at += width + 1) {
      const cells = rows[row] as Row;
      cells[column] = read(fields.seek(starts[at] as number, (starts[at + 1] as number) - 1));
    }
  }

  row(row: number): Row {
    const { width } = this;
    const first = row * (width + 1);
    const cells: Row = new Array(width);
    for (let column = 0; column < width; column++) cells[column] = this.#read(column, first + column);
    return cells;
  }

  #read(column: number, at: number): Value {
    const { starts } = this;
    const fields = this.#fieldsOf().seek(starts[at] as number, (starts[at + 1] as number) - 1);
    return (this.#readers[column] as ReadField)(fields);
  }

  #fieldsOf(): CopyFields {
    this.#fields ??= new CopyFields(this.bytes);
    return this.#fields;
  }
}

/** Lines that are being gathered for a batch. */
interface Gathered {
  readonly pieces: Buffer[];
  bytes: number;
  starts: Uint32Array;
  length: number;
}

/** A batch's lines, and what followed the columns of the last of them. */
export interface Filled {
  readonly lines: CopyLines;
  /** Cells behind the last row's columns, such as its ctid. */
  readonly extra: readonly string[];
}

/**
 * Splits COPY's text format into the lines of batches. Bytes come in by `push` as the socket gives them, lines go out by
 * `fill`, so that the reader decides where a batch ends.
 */
export class CopyText {
  readonly #readers: readonly ReadField[];
  readonly #width: number;
  readonly #extra: number;
  readonly #verify: boolean;
  #partial: Buffer[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #gathered: Gathered;

  /** `extra` fields follow the columns of each row. `verify`: the server does not promise valid UTF-8. */
  constructor(columns: readonly Column[], extra: number, verify: boolean) {
    this.#readers = columns.map(fieldReader);
    this.#width = columns.length;
    this.#extra = extra;
    this.#verify = verify;
    this.#gathered = this.#nothing();
  }

  /** Takes the next bytes. All lines of the former ones must have been taken out. */
  push(chunk: Buffer): void {
    // A newline byte is never part of another character, so cutting there never tears one.
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#partial.push(chunk);
      return;
    }
    const head = chunk.subarray(0, end);
    const whole = this.#partial.length === 0 ? head : Buffer.concat([...this.#partial, head]);
    this.#partial = end === chunk.length ? [] : [chunk.subarray(end)];
    if (this.#verify && !isUtf8(whole)) throw invalidText();
    this.#bytes = whole;
    this.#view = new DataView(whole.buffer, whole.byteOffset, whole.length);
    this.#at = 0;
  }

  /** Lines up to `size`, when another one follows them; otherwise they are kept for the next call or {@link rest}. */
  fill(size: { readonly rows: number; readonly bytes: number }): Filled | undefined {
    const gathered = this.#gathered;
    const from = this.#at;
    let at = from;
    const shift = gathered.bytes - from;
    let full = false;
    while (at < this.#bytes.length) {
      const end = this.#findFields(at, shift);
      full = gathered.length > 0 && (gathered.length >= size.rows || end + shift > size.bytes);
      if (full) break;
      gathered.length++;
      at = end;
    }
    if (at > from) this.#take(at);
    return full ? this.rest() : undefined;
  }

  /** Lines that did not fill a batch. */
  rest(): Filled {
    const { pieces, starts, length } = this.#gathered;
    const [only] = pieces;
    const bytes = pieces.length === 1 && only ? only : Buffer.concat(pieces);
    this.#gathered = this.#nothing(length);
    const lines = new CopyLines(this.#readers, bytes, starts, length);
    return { lines, extra: this.#extra === 0 || length === 0 ? [] : this.#behindLast(lines) };
  }

  /** What follows the columns of the last line. */
  #behindLast({ bytes, starts, length }: CopyLines): string[] {
    const start = starts[length * (this.#width + 1) - 1];
    return bytes.toString('latin1', start, bytes.length - 1).split('\t');
  }

  /** How many lines wait for {@link rest}. */
  get waiting(): number {
    return this.#gathered.length;
  }

  /** Room for as many rows as there were before, and a look at the next. */
  #nothing(rows = FIRST_ROWS): Gathered {
    const starts = new Uint32Array((rows + 1) * (this.#width + 1));
    return { pieces: [], bytes: 0, starts, length: 0 };
  }

  /** Moves the lines before `end` over. */
  #take(end: number): void {
    const gathered = this.#gathered;
    gathered.pieces.push(this.#bytes.subarray(this.#at, end));
    gathered.bytes += end - this.#at;
    this.#at = end;
  }

  /** Notes where the fields of a line begin, moved by `shift`; gives where the next line begins. */
  #findFields(from: number, shift: number): number {
    const bytes = this.#bytes;
    const width = this.#width;
    const starts = this.#room();
    const first = this.#gathered.length * (width + 1);
    let fields = 1;
    let at = this.#nextControl(from);
    starts[first] = from + shift;
    for (; bytes[at] !== NEWLINE; at = this.#nextControl(at + 1)) {
      if (bytes[at] !== TAB) continue;
      if (fields <= width) starts[first + fields] = at + 1 + shift;
      fields++;
    }
    if (fields === width) starts[first + width] = at + 1 + shift;
    if (fields !== width + this.#extra) throw wrongWidth(fields);
    return at + 1;
  }

  /** The place of the next byte up to a newline's, of which there is one in each line; looks at four bytes at a time. */
  #nextControl(from: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const last = bytes.length - WORD;
    let at = from;
    for (; at <= last; at += WORD) {
      const word = view.getInt32(at, true);
      // Bit 7 of each byte: it is below 0x0b. This may be wrong of bytes behind the first such one.
      const found = (word - ABOVE_NEWLINE) & ~word & HIGH_BITS;
      if (found !== 0) return at + ((31 - Math.clz32(found & -found)) >> 3);
    }
    while ((bytes[at] as number) > NEWLINE) at++;
    return at;
  }

  #room(): Uint32Array {
    const gathered = this.#gathered;
    const { starts } = gathered;
    if ((gathered.length + 1) * (this.#width + 1) <= starts.length) return starts;
    gathered.starts = new Uint32Array(starts.length * 2);
    gathered.starts.set(starts);
    return gathered.starts;
  }
}

function invalidText(): Fault {
  return new Fault('data', 'invalid_text', 'the database holds text that is not valid UTF-8', {
    hint: 'Its encoding is SQL_ASCII, so the server checks nothing. Correct the text, or leave the table out.',
  });
}

function wrongWidth(fields: number): Fault {
  return new Fault('bug', 'copy_format', `the server sent a row of ${fields} fields that was not asked for`);
}
