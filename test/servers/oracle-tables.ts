import type Database from 'libsql';
import { type Answering, type Cell, OracleError } from './oracle-seam';

/** A column as Oracle's catalog would tell it. */
export interface FakeColumn {
  readonly name: string;
  readonly type: string;
  readonly precision?: number;
  readonly scale?: number;
  readonly length?: number;
  readonly nullable?: boolean;
}

interface FakeTable {
  readonly columns: readonly FakeColumn[];
  /** Of its unique index; none where there is none. */
  readonly key: readonly string[];
  readonly rows: number;
  /** The number of the change that made it so. */
  readonly since: number;
}

type Rows = Cell[][];

/** The schema of the user. */
export const HOME = 'SHOP';

/**
 * Answers the statements that the connector makes, and no others: those about the catalog from lists, those about rows by
 * SQLite, after the few words that differ were replaced. What was so at a number is kept by a connection of its own.
 */
export class FakeOracle {
  /** Names of transactions that have not ended; `undefined`: the user may not see them. */
  open: Set<string> | undefined = new Set();
  /** Whether the user may ask for the number of now. */
  tellsNumber = true;
  /** Called before each statement about rows; it may throw. */
  before: (statement: string) => void = () => undefined;
  readonly #connect: () => Database.Database;
  readonly #tables = new Map<string, FakeTable>();
  readonly #moments = new Map<number, Database.Database>();
  #number = 1000;
  #sessions = 0;

  constructor(connect: () => Database.Database) {
    this.#connect = connect;
  }

  /** Says what a table is. */
  describe(name: string, columns: readonly FakeColumn[], key: readonly string[] = ['ID'], rows = 0): void {
    this.#tables.set(name, { columns, key, rows, since: ++this.#number });
  }

  forgetMoments(): void {
    for (const database of this.#moments.values()) database.close();
    this.#moments.clear();
  }

  /** What answers one connection. */
  session(): Answering {
    const database = this.#connect();
    const sid = String(++this.#sessions);
    return {
      answer: (statement, values) => this.#answer(statement, values, { database, sid }),
      close: () => closed(database),
    };
  }

  #answer(statement: string, values: readonly unknown[], at: { database: Database.Database; sid: string }) {
    if (/^alter session/.test(statement)) return undefined;
    if (/^(set transaction|commit)/.test(statement)) {
      at.database.exec(statement === 'commit' ? 'commit' : 'begin');
      return undefined;
    }
    if (statement.includes('current_schema')) return [[HOME, '1', at.sid]];
    if (statement.includes('get_system_change_number')) return this.#now();
    if (statement.includes('v$database')) throw hidden();
    if (statement.includes('gv$')) return this.#transactions(statement);
    if (statement.includes('from all_tab_cols')) return this.#listed(values, 1, columnRows);
    if (statement.includes('from all_indexes')) return this.#listed(values, 1, indexRows);
    if (statement.includes('from all_tables')) return this.#listed(values, 3, tableRow);
    this.before(statement);
    return this.#read(statement, values, at.database);
  }

  #now(): Rows {
    if (!this.tellsNumber) throw new OracleError(904, '"DBMS_FLASHBACK": invalid identifier');
    const database = this.#connect();
    database.exec('begin');
    database.prepare('select count(*) from sqlite_master').get();
    this.#moments.set(++this.#number, database);
    return [[String(this.#number)]];
  }

  #transactions(statement: string): Rows {
    if (this.open === undefined) throw hidden();
    return statement.includes('gv$transaction') ? [...this.open].map((name) => [name]) : [];
  }

  // The name is the last value, where one table is asked for.
  #listed(values: readonly unknown[], place: number, list: (name: string, table: FakeTable) => Rows): Rows {
    const only = values[place];
    return [...this.#tables].flatMap(([name, table]) => (only === undefined || only === name ? list(name, table) : []));
  }

  #read(statement: string, values: readonly unknown[], own: Database.Database): Iterable<readonly Cell[]> {
    const [, scn] = / as of scn (\d+)/.exec(statement) ?? [];
    const database = scn === undefined ? own : this.#moments.get(Number(scn));
    if (database === undefined) throw new OracleError(1555, 'snapshot too old');
    const [, name = ''] = /"\."([^"]+)"/.exec(statement) ?? [];
    const table = this.#tables.get(name);
    if (table === undefined) throw hidden();
    if (Number(scn) < table.since) throw new OracleError(1466, 'unable to read data - table definition has changed');
    if (scn !== undefined && statement.includes('ora_rowscn')) throw new OracleError(904, 'ORA_ROWSCN of the past');
    return cells(database.prepare(ofSqlite(statement)).raw().safeIntegers(true).iterate(values) as Iterable<unknown[]>);
  }
}

function closed(database: Database.Database): void {
  if (database.inTransaction) database.exec('rollback');
  database.close();
}

function* cells(rows: Iterable<unknown[]>): Iterable<readonly Cell[]> {
  for (const row of rows) yield row.map(cellOf);
}

function cellOf(value: unknown): Cell {
  if (value === null) return null;
  return value instanceof Uint8Array ? Buffer.from(value) : String(value);
}

function hidden(): OracleError {
  return new OracleError(942, 'table or view does not exist');
}

function tableRow(name: string, { rows }: FakeTable): Rows {
  return [[HOME, name, 'table', null, 'DISABLED', String(rows), '100', '1']];
}

function columnRows(table: string, { columns }: FakeTable): Rows {
  return columns.map(({ name, type, precision, scale, length = 100, nullable = false }) => [
    HOME,
    table,
    name,
    type,
    nullable ? 'Y' : 'N',
    precision === undefined ? null : String(precision),
    scale === undefined ? null : String(scale),
    String(length),
    String(length),
    'C',
  ]);
}

function indexRows(table: string, { key }: FakeTable): Rows {
  return key.map((column) => [HOME, table, `PK_${table}`, 'UNIQUE', key[0] === 'ID' ? 'P' : null, column]);
}

function ofSqlite(statement: string): string {
  return statement
    .replace(/ as of scn \d+/, '')
    .replace(/ sample block \([\d.]+\)/, '')
    .replaceAll(`"${HOME}".`, '')
    .replace(/sys_extract_utc\((t\."[^"]+")\)/g, '$1')
    .replace(/to_char\((t\."[^"]+"), '[^']+'\)/g, `(' ' || $1)`)
    .replace(/to_number\((:\d+)\)/g, 'cast($1 as numeric)')
    .replace(/to_timestamp\((:\d+), '[^']+'\)/g, 'substr($1, 1, 23)')
    .replaceAll(`sys_extract_utc(systimestamp) + interval '14' hour`, `'9999'`)
    .replaceAll('rowidtochar(t.rowid)', `printf('%018d', t.rowid)`)
    .replace(/chartorowid\((:\d+)\)/g, 'cast($1 as integer)')
    .replace(/fetch first (\d+) rows only/, 'limit $1')
    .replace(/:\d+/g, '?');
}
