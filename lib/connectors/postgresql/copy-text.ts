import { isUtf8 } from 'node:buffer';
import type { Row, Value } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { Column } from '../../core/schema';
import { type Convert, converter } from './values';

const NEWLINE = 10;
const NULL_FIELD = '\\N';
const ESCAPES: { readonly [letter: string]: string } = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Rows taken out of the text; `bytes` is the size they had in it. */
export interface Filled {
  readonly rows: Row[];
  bytes: number;
  /** Cells behind the last row's columns, such as its ctid. */
  extra: readonly string[];
}

/** An empty batch to fill. */
export function emptyFill(): Filled {
  return { rows: [], bytes: 0, extra: [] };
}

/**
 * Splits COPY's text format into rows. Bytes come in by `push` as the socket gives them, rows go out by `fill`, so
 * that the reader decides where a batch ends.
 */
export class CopyText {
  readonly #converts: readonly (Convert | undefined)[];
  readonly #width: number;
  readonly #extra: number;
  readonly #verify: boolean;
  #partial: Buffer[] = [];
  #text = '';
  #at = 0;

  /** `extra` fields follow the columns of each row. `verify`: the server does not promise valid UTF-8. */
  constructor(columns: readonly Column[], extra: number, verify: boolean) {
    this.#converts = columns.map(converter);
    this.#width = columns.length;
    this.#extra = extra;
    this.#verify = verify;
  }

  /** Takes the next bytes. All rows of the former ones must have been taken out. */
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
    this.#text = whole.toString('utf8');
    this.#at = 0;
  }

  /** Moves rows into `batch` until it has its size (then true) or no whole row is left (then false). */
  fill(batch: Filled, size: { readonly rows: number; readonly bytes: number }): boolean {
    const text = this.#text;
    const { rows } = batch;
    let { bytes } = batch;
    let at = this.#at;
    let full = false;
    while (at < text.length) {
      const end = text.indexOf('\n', at);
      const length = end + 1 - at;
      full = rows.length > 0 && (rows.length >= size.rows || bytes + length > size.bytes);
      if (full) break;
      rows.push(this.#row(text, at, end, batch));
      bytes += length;
      at = end + 1;
    }
    batch.bytes = bytes;
    this.#at = at;
    if (at >= text.length) this.#text = '';
    return full;
  }

  #row(text: string, start: number, end: number, batch: Filled): Row {
    const row: Row = new Array(this.#width);
    let at = start;
    for (let index = 0; index < this.#width; index++) {
      if (at > end) throw wrongWidth(text.slice(start, end));
      const next = fieldEnd(text, at, end);
      row[index] = this.#value(index, text.slice(at, next));
      at = next + 1;
    }
    if (this.#extra > 0) batch.extra = text.slice(at, end).split('\t');
    else if (at !== end + 1) throw wrongWidth(text.slice(start, end));
    return row;
  }

  #value(index: number, field: string): Value {
    const convert = this.#converts[index];
    if (!field.includes('\\')) return convert ? convert(field) : field;
    if (field === NULL_FIELD) return null;
    const text = unescaped(field);
    return convert ? convert(text) : text;
  }
}

function fieldEnd(text: string, from: number, end: number): number {
  const tab = text.indexOf('\t', from);
  return tab < 0 || tab > end ? end : tab;
}

function unescaped(field: string): string {
  // Most escaped fields are bytea, whose only escape is the first: a regular expression over 400 MB would be slow.
  if (field.startsWith('\\\\x') && !field.includes('\\', 2)) return field.slice(1);
  return field.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter);
}

function invalidText(): Fault {
  return new Fault('data', 'invalid_text', 'the database holds text that is not valid UTF-8', {
    hint: 'Its encoding is SQL_ASCII, so the server checks nothing. Correct the text, or leave the table out.',
  });
}

function wrongWidth(line: string): Fault {
  const fields = line.split('\t').length;
  return new Fault('bug', 'copy_format', `the server sent a row of ${fields} fields that was not asked for`);
}
