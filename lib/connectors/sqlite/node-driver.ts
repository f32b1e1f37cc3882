import { Fault } from '../../core/fault';
import type { Bindable, Cell, Driver, DriverConnection, RowReader } from './driver';

// What is used of node:sqlite, which the types of the oldest Node that is supported do not have.
interface Statement {
  setReadBigInts(on: boolean): void;
  setReturnArrays(on: boolean): void;
  all(...values: Bindable[]): Cell[][];
  iterate(...values: Bindable[]): Iterator<Cell[]>;
}
interface Database {
  prepare(sql: string): Statement;
  close(): void;
}
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => Database;
}
type GetBuiltin = (name: string) => NodeSqlite | undefined;

/** The driver that comes with Node. */
export function nodeDriver(): Driver {
  const { getBuiltinModule } = process as unknown as { getBuiltinModule?: GetBuiltin };
  const found = getBuiltinModule?.('node:sqlite');
  if (found === undefined) throw new Fault('bug', 'no_driver', 'this Node has no SQLite of its own');
  return {
    name: `node:sqlite of Node ${process.versions.node}`,
    open: (uri) => connectionOf(new found.DatabaseSync(uri)),
  };
}

function connectionOf(database: Database): DriverConnection {
  const prepare = (sql: string): Statement => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return statement;
  };
  return {
    all: (sql, values) => prepare(sql).all(...values),
    prepare(sql) {
      const statement = prepare(sql);
      return (values) => statement.all(...values);
    },
    read: (sql, values) => readerOf(prepare(sql).iterate(...values)),
    close: () => database.close(),
  };
}

function readerOf(rows: Iterator<Cell[]>): RowReader {
  return {
    next(most) {
      const taken: Cell[][] = [];
      while (taken.length < most) {
        const { value, done } = rows.next();
        if (done) break;
        taken.push(value);
      }
      return taken;
    },
    end: () => void rows.return?.(),
  };
}
