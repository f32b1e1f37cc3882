import type { Lsn } from './lsn';
import { readLsn } from './lsn';

// https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html

/** A column as the log tells it. */
export interface LoggedColumn {
  readonly name: string;
  readonly typeOid: number;
  /** As in `pg_attribute.atttypmod`. */
  readonly modifier: number;
  /** Part of the replica identity. */
  readonly isKey: boolean;
}

/** The shape of a table, sent before its first change and after each change of the shape. */
export interface LoggedRelation {
  readonly oid: number;
  readonly columns: readonly LoggedColumn[];
}

/** A cell of a change is read where it stands. `bytes` is the whole message. */
export type ReadCell<T> = (bytes: Buffer, start: number, end: number) => T;

/** First bytes of messages. */
export const Kind = {
  Begin: 0x42,
  Commit: 0x43,
  Relation: 0x52,
  Insert: 0x49,
  Update: 0x55,
  Delete: 0x44,
  Truncate: 0x54,
} as const;

/** First bytes of the tuples of a change. */
export const Part = { Key: 0x4b, Old: 0x4f, New: 0x4e } as const;

const NULL = 0x6e;
const UNCHANGED_TOAST = 0x75;
const KEY_FLAG = 1;
/** Microseconds from 1970 to 2000. */
const EPOCH_MS = 946_684_800_000;

/** Reads one message of pgoutput, version 1, from its front to its end. */
export class MessageReader {
  readonly bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.#at = at;
  }

  byte(): number {
    return this.bytes[this.#at++] ?? 0;
  }

  int16(): number {
    this.#at += 2;
    return this.bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.bytes.readInt32BE(this.#at - 4);
  }

  /** Object identifiers have no sign. */
  oid(): number {
    return this.int32() >>> 0;
  }

  lsn(): Lsn {
    this.#at += 8;
    return readLsn(this.bytes, this.#at - 8);
  }

  /** Milliseconds since 1970. */
  time(): number {
    return EPOCH_MS + Math.floor(this.lsn() / 1000);
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.#at);
    const text = this.bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** The shape in a message of the kind `Relation`, behind its first byte. */
  relation(): LoggedRelation {
    const oid = this.oid();
    this.text();
    this.text();
    this.byte();
    const columns = Array.from({ length: this.int16() }, (): LoggedColumn => {
      const isKey = (this.byte() & KEY_FLAG) !== 0;
      return { isKey, name: this.text(), typeOid: this.oid(), modifier: this.int32() };
    });
    return { oid, columns };
  }

  /** The tables in a message of the kind `Truncate`, behind its first byte. */
  truncated(): number[] {
    const count = this.int32();
    this.byte();
    return Array.from({ length: count }, () => this.oid());
  }

  /**
   * Reads a tuple into `row`: the cell of column n at `places[n]`, left out where that is negative. `unchanged` stands for a
   * large value that an update has not touched.
   */
  tuple<T>(row: (T | null)[], places: readonly number[], readers: readonly ReadCell<T>[], unchanged: T): (T | null)[] {
    const count = this.int16();
    for (let column = 0; column < count; column++) {
      const kind = this.byte();
      const place = places[column] ?? -1;
      if (kind === NULL || kind === UNCHANGED_TOAST) {
        if (place >= 0) row[place] = kind === NULL ? null : unchanged;
        continue;
      }
      const length = this.int32();
      const start = this.#at;
      this.#at += length;
      const read = readers[column];
      if (place >= 0 && read) row[place] = read(this.bytes, start, start + length);
    }
    return row;
  }
}
