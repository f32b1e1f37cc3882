import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../../core/batch';
import { Fault } from '../../core/fault';
import { type Fragment, statementOf } from '../shared/sql/fragment';
import { selected } from '../shared/sql/full-scan';
import { type Range, rangeSql } from '../shared/sql/range';
import { textOf } from '../shared/sql/relation';
import type { Size, SqlSession, TextRow } from '../shared/sql/session';
import { type TextDecoding, textDecoding, UNFIT, weigh } from './cells';
import { batched, type Chunk } from './chunks';
import { generalResultOf } from './classify';
import type { SqliteColumn } from './columns';
import type { Bindable, Cell, DriverConnection, RowReader } from './driver';
import { isPackable, type PackedReading, packedChunks } from './packed-range';

const UTF_8 = 'UTF-8';
const BUSY = 5;
const RETRY_MS = 20;
const TURN_MS = 10;
/** What is fetched at once: at most so many rows, and bytes as far as rows are like those before. */
const FETCH_ROWS = 100;
const FETCH_BYTES = 1 << 20;
const LONGEST_NAME = 100;

let sessionCount = 0;

/** One connection to the file. The drivers do all at once: between chunks of rows everybody else has a turn. */
export class SqliteSession implements SqlSession<SqliteColumn> {
  readonly id = `sqlite-${++sessionCount}`;
  readonly #connection: DriverConnection;
  readonly #busyMs: number;
  readonly #readers = new Set<RowReader>();
  readonly #text: TextDecoding;
  readonly #packs: boolean;
  #closed = false;
  #turn = performance.now();

  private constructor(connection: DriverConnection, busyMs: number, encoding: string) {
    this.#connection = connection;
    this.#busyMs = busyMs;
    this.#text = textDecoding(encoding);
    this.#packs = encoding === UTF_8;
  }

  /** A session over a new connection, which it closes when the file cannot be read. */
  static async over(connection: DriverConnection, busyMs: number): Promise<SqliteSession> {
    const asking = new SqliteSession(connection, busyMs, UTF_8);
    try {
      const [[encoding] = []] = await asking.#patient(() => connection.all('pragma encoding', []));
      return new SqliteSession(connection, busyMs, String(encoding));
    } catch (error) {
      asking.destroy();
      throw error;
    }
  }

  get closed() {
    return this.#closed;
  }

  async query(statement: Fragment): Promise<readonly TextRow[]> {
    const { sql, values } = driversOwn(statement);
    const rows = await this.#patient(() => this.#connection.all(sql, values));
    return rows.map((row) => row.map((cell) => this.#cellText(cell)));
  }

  // In chunks: a promise for each row would cost more than the row.
  async *#chunks(statement: Fragment): AsyncGenerator<Cell[][]> {
    const { sql, values } = driversOwn(statement);
    let reader: RowReader | undefined;
    let largest = FETCH_BYTES / FETCH_ROWS;
    const fetch = (): Cell[][] => {
      reader ??= this.#opened(sql, values);
      try {
        return reader.next(Math.min(FETCH_ROWS, Math.max(1, Math.floor(FETCH_BYTES / largest))));
      } catch (error) {
        this.#end(reader);
        reader = undefined;
        throw error;
      }
    };
    try {
      // Only the first can find the file busy: then the statement has its snapshot.
      for (let rows = await this.#patient(fetch); rows.length > 0; rows = this.#alive(fetch)) {
        for (const row of rows) largest = Math.max(largest, weigh(row));
        yield rows;
        await this.#breathe();
      }
    } finally {
      if (reader) this.#end(reader);
    }
  }

  rows(statement: Fragment, columns: readonly SqliteColumn[], size: Size): AsyncGenerator<Row[]> {
    return batched(this.#plain(statement, columns), size);
  }

  range(range: Range<SqliteColumn>, size: Size): AsyncGenerator<Row[]> {
    if (!this.#packs || !isPackable(range)) {
      return this.rows(rangeSql(range, selected(range.columns), true), range.columns, size);
    }
    const reading: PackedReading = {
      all: this.#repeated(),
      cells: (statement) => this.#chunks(statement),
      plain: (statement, columns) => this.#plain(statement, columns),
    };
    return batched(packedChunks(reading, range, size.rows), size);
  }

  async *#plain(statement: Fragment, columns: readonly SqliteColumn[]): AsyncGenerator<Chunk> {
    for await (const chunk of this.#chunks(statement)) {
      const rows: Row[] = [];
      const bytes: number[] = [];
      try {
        for (const cells of chunk) {
          rows.push(this.#decoded(cells, columns));
          bytes.push(weigh(cells));
        }
      } catch (error) {
        // What comes before is read in any case.
        yield { rows, bytes };
        throw error;
      }
      yield { rows, bytes };
    }
  }

  #repeated(): PackedReading['all'] {
    const prepared = new Map<string, ReturnType<DriverConnection['prepare']>>();
    return async (statement) => {
      const { sql, values } = driversOwn(statement);
      const rows = await this.#patient(() => {
        const run = prepared.get(sql) ?? this.#connection.prepare(sql);
        prepared.set(sql, run);
        return run(values);
      });
      await this.#breathe();
      return rows;
    };
  }

  // Everybody else has a turn, when the last was a while ago.
  async #breathe(): Promise<void> {
    if (performance.now() - this.#turn < TURN_MS) return;
    await setImmediate();
    this.#turn = performance.now();
  }

  async cancel(): Promise<void> {
    for (const reader of this.#readers) this.#end(reader);
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const reader of this.#readers) this.#end(reader);
    this.#connection.close();
  }

  async close(): Promise<void> {
    this.destroy();
  }

  #opened(sql: string, values: readonly Bindable[]): RowReader {
    const reader = this.#connection.read(sql, values);
    this.#readers.add(reader);
    return reader;
  }

  #end(reader: RowReader): void {
    if (this.#readers.delete(reader)) reader.end();
  }

  // SQLite's own waiting would hold up the whole process.
  async #patient<T>(work: () => T): Promise<T> {
    for (const deadline = performance.now() + this.#busyMs; ; ) {
      try {
        return this.#alive(work);
      } catch (error) {
        if (generalResultOf(error) !== BUSY || performance.now() > deadline) throw error;
      }
      await sleep(RETRY_MS);
    }
  }

  #alive<T>(work: () => T): T {
    if (this.#closed) throw new Fault('transient', 'connection_closed', 'the connection to the file is closed');
    return work();
  }

  #decoded(cells: readonly Cell[], columns: readonly SqliteColumn[]): Row {
    const row: Row = new Array(columns.length);
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index];
      const cell = cells[index] ?? null;
      const value = column?.decode(cell, this.#text);
      if (column === undefined || value === undefined || value === UNFIT) throw this.#unfit(cells, columns, index);
      row[index] = value;
    }
    return row;
  }

  #unfit(cells: readonly Cell[], columns: readonly SqliteColumn[], index: number): Fault {
    const named = columns.flatMap((column, place) => {
      const cell = cells[place] ?? null;
      const value = column.identifies ? column.decode(cell, this.#text) : UNFIT;
      if (value === UNFIT || value === null) return [];
      return [`${column.column.name} = ${textOf(value).slice(0, LONGEST_NAME)}`];
    });
    const row = named.join(', ') || 'without a key';
    const fault = columns[index]?.unfit(cells[index] ?? null, row);
    return fault ?? new Fault('bug', 'columns', 'a row has other columns than were asked for');
  }

  #cellText(cell: Cell): string | null {
    if (!(cell instanceof Uint8Array)) return cell === null ? null : String(cell);
    const text = this.#text(cell);
    if (text !== UNFIT) return text;
    throw new Fault('data', 'invalid_text', 'a name in the file is not valid in its encoding', {
      hint: 'Rename the table, column or index.',
    });
  }
}

function driversOwn(statement: Fragment): { readonly sql: string; readonly values: Bindable[] } {
  const values = statement.values.map((value) => (typeof value === 'boolean' ? BigInt(value) : value));
  return { sql: statementOf(statement, (place) => `?${place}`), values };
}
