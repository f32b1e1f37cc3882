import Database from 'libsql';
import type { Bindable, Cell, Driver, DriverConnection, RowReader } from './driver';

// The native side fills `nextRows`, whatever its length, when `nextRowIndex` is this.
const FETCH = 100;

interface Fetching {
  nextRows: (Cell[] | undefined)[];
  nextRowIndex: number;
}
type Next = (this: Fetching) => IteratorResult<Cell[], undefined>;

/** The driver for a Node that has none. */
export const libsqlDriver: Driver = { name: 'libsql', open: (uri) => connectionOf(new Database(uri)) };

function connectionOf(database: Database.Database): DriverConnection {
  const prepare = (sql: string): ((values: readonly Bindable[]) => RowReader) => {
    const statement = database.prepare<[readonly Bindable[]]>(sql);
    if (!statement.reader) {
      return (values) => {
        statement.run(values);
        return NO_ROWS;
      };
    }
    const reading = statement.raw().safeIntegers(true);
    // As one array: alone, bytes would be taken for an object of named values.
    return (values) => readerOf(database, reading.iterate(values) as unknown as { readonly next: Next });
  };
  return {
    read: (sql, values) => prepare(sql)(values),
    // Not all(): a statement that finds the file busy would stay in its middle, and keep the next one's lock.
    all: (sql, values) => everyRow(prepare(sql)(values)),
    prepare(sql) {
      const read = prepare(sql);
      return (values) => everyRow(read(values));
    },
    close() {
      // Statements live until they are collected, and the connection behind them: it must not keep its transaction.
      if (database.inTransaction) database.exec('rollback');
      database.close();
    },
  };
}

const NO_ROWS: RowReader = { next: () => [], end: () => undefined };

function everyRow(reader: RowReader): Cell[][] {
  const all: Cell[][] = [];
  try {
    for (let rows = reader.next(FETCH); rows.length > 0; rows = reader.next(FETCH)) all.push(...rows);
    return all;
  } finally {
    reader.end();
  }
}

// By default it fetches a hundred rows at a time, however large they are.
function readerOf(database: Database.Database, { next }: { readonly next: Next }): RowReader {
  let ended = false;
  const fetch = (most: number): Cell[][] => {
    const fetching: Fetching = { nextRows: Array(most), nextRowIndex: FETCH };
    const { value } = next.call(fetching);
    if (value === undefined) return [];
    const others = fetching.nextRows.slice(1).filter((row) => row !== undefined && row !== null);
    return [value, ...(others as Cell[][])];
  };
  return {
    next(most) {
      if (ended) return [];
      try {
        const rows = fetch(most);
        ended = rows.length < most;
        return rows;
      } catch (error) {
        // Any other failure ends a statement: one more step would begin it anew.
        ended = codeOf(error) !== 'SQLITE_BUSY';
        throw error;
      }
    },
    end() {
      if (ended) return;
      ended = true;
      (database as unknown as { interrupt(): void }).interrupt();
      try {
        // A statement ends only in a step, which is interrupted.
        while (fetch(1).length > 0);
      } catch (error) {
        if (codeOf(error) !== 'SQLITE_INTERRUPT') throw error;
      }
    },
  };
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code;
}
