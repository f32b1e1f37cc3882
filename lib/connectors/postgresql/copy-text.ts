import { isUtf8 } from 'node:buffer';
import type { Row } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { Column } from '../../core/schema';
import { CopyFields } from './copy-fields';
import { fieldReader, type ReadField } from './values';

const NEWLINE = 10;

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
  readonly #fields = new CopyFields();
  readonly #readers: readonly ReadField[];
  readonly #extra: number;
  readonly #verify: boolean;
  #partial: Buffer[] = [];

  /** `extra` fields follow the columns of each row. `verify`: the server does not promise valid UTF-8. */
  constructor(columns: readonly Column[], extra: number, verify: boolean) {
    this.#readers = columns.map(fieldReader);
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
    this.#fields.reset(whole);
  }

  /** Moves rows into `batch` until it has its size (then true) or no whole row is left (then false). */
  fill(batch: Filled, size: { readonly rows: number; readonly bytes: number }): boolean {
    const fields = this.#fields;
    const { rows } = batch;
    let { bytes } = batch;
    let full = false;
    let extra: string | undefined;
    for (;;) {
      const length = fields.lineLength();
      full = length > 0 && rows.length > 0 && (rows.length >= size.rows || bytes + length > size.bytes);
      if (length === 0 || full) break;
      rows.push(this.#row());
      bytes += length;
      if (this.#extra > 0) extra = fields.rest();
      else if (!fields.lineDone) throw wrongWidth(fields);
    }
    batch.bytes = bytes;
    if (extra !== undefined) batch.extra = extra.split('\t');
    return full;
  }

  #row(): Row {
    const fields = this.#fields;
    const readers = this.#readers;
    const row: Row = new Array(readers.length);
    for (let index = 0; index < readers.length; index++) {
      if (fields.lineDone) throw wrongWidth(fields);
      row[index] = (readers[index] as ReadField)(fields);
    }
    return row;
  }
}

function invalidText(): Fault {
  return new Fault('data', 'invalid_text', 'the database holds text that is not valid UTF-8', {
    hint: 'Its encoding is SQL_ASCII, so the server checks nothing. Correct the text, or leave the table out.',
  });
}

function wrongWidth(fields: CopyFields): Fault {
  return new Fault('bug', 'copy_format', `the server sent a row of ${fields.count()} fields that was not asked for`);
}
