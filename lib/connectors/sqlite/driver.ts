/** A cell as both drivers give it: integers as bigint, reals as number, blobs as bytes; text is never asked for as such. */
export type Cell = null | bigint | number | string | Uint8Array;

/** What a driver binds. */
export type Bindable = null | bigint | number | string | Uint8Array;

/** The rows of a statement that is being run. */
export interface RowReader {
  /** At most this many further rows; none in the end. */
  next(most: number): Cell[][];
  /** Ends the statement, so that it holds nothing in the file. */
  end(): void;
}

/** One connection to a file. Everything is done before it returns. */
export interface DriverConnection {
  all(sql: string, values: readonly Bindable[]): Cell[][];
  /** For what is asked again with other values. */
  prepare(sql: string): (values: readonly Bindable[]) => Cell[][];
  read(sql: string, values: readonly Bindable[]): RowReader;
  close(): void;
}

/** A library that reads SQLite's files. */
export interface Driver {
  /** As it shows in connection tests. */
  readonly name: string;
  open(uri: string): DriverConnection;
}

// Before it, rows cannot be had as arrays.
const FIRST_NODE_WITH_DRIVER = 24;

/** Node's own driver where it has one, so that nothing native has to be shipped; else libsql. */
export async function loadDriver(): Promise<Driver> {
  const [major] = process.versions.node.split('.');
  if (Number(major) >= FIRST_NODE_WITH_DRIVER) return (await import('./node-driver')).nodeDriver();
  return (await import('./libsql-driver')).libsqlDriver;
}
