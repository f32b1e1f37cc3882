import type Database from 'libsql';
import { SqlError } from './mssql-seam';
import type { TdsCell } from './tds';

/** A column as SQL Server's catalog would tell it. */
export interface FakeColumn {
  readonly name: string;
  readonly type: string;
  readonly length?: number;
  readonly precision?: number;
  readonly scale?: number;
  readonly nullable?: boolean;
}

type Values = { readonly [name: string]: string };
type Rows = readonly (readonly TdsCell[])[];

const MISSING = 208;
const COLLATION = 'Latin1_General_100_CI_AS';

/**
 * Answers the statements that the connector makes, and no others: those about the catalog from a list of columns, those
 * about rows by SQLite, after the few words that differ were replaced.
 */
export class FakeTables {
  readonly #open: () => Database.Database;
  readonly #tables = new Map<string, readonly FakeColumn[]>();
  readonly #refused = new Set<string>();

  /** `open` gives a connection: each statement has its own, as one that is not read to its end keeps what it sees. */
  constructor(open: () => Database.Database) {
    this.#open = open;
  }

  /** Says what a table is; its first column is its primary key. `refused`: the user may not read it. */
  describe(table: string, columns: readonly FakeColumn[], refused = false): void {
    this.#tables.set(table, columns);
    if (refused) this.#refused.add(table);
  }

  readonly answer = (statement: string, values: Values): Iterable<readonly TdsCell[]> => {
    if (/^\s*(set|begin|commit)\b/i.test(statement)) return [];
    if (statement.includes('serverproperty')) return [['16.0.0.0', '51', '1']];
    if (statement.includes('from sys.columns c'))
      return this.#listed(values, (table, id, columns) => columnRows(columns, id, !this.#refused.has(table)));
    if (statement.includes('from sys.indexes i')) return this.#listed(values, indexRows);
    if (statement.includes('from sys.objects o')) return this.#listed(values, (table, id) => this.#tableRow(table, id));
    return this.#read(statement, values);
  };

  #listed({ p2: only }: Values, list: (table: string, id: string, columns: readonly FakeColumn[]) => Rows): Rows {
    return [...this.#tables].flatMap(([table, columns], index) =>
      only === undefined || only === table ? list(table, String(index + 1), columns) : [],
    );
  }

  #tableRow(table: string, id: string): Rows {
    const [[count = '0'] = []] = this.#read(`select count(*) from ${table}`, {});
    return [[id, 'dbo', table, 'U ', count, '1']];
  }

  *#read(statement: string, values: Values): Iterable<readonly TdsCell[]> {
    const database = this.#open();
    try {
      const found = prepared(database, statement);
      for (const row of found.iterate(values) as Iterable<unknown[]>) yield row.map(cellOf);
    } finally {
      database.close();
    }
  }
}

function prepared(database: Database.Database, statement: string): Database.Statement {
  try {
    return database.prepare(ofSqlite(statement)).raw();
  } catch (error) {
    const text = (error as Error).message;
    throw text.includes('no such table')
      ? new SqlError(MISSING, 'Invalid object name.')
      : new Error(`${text}: ${statement}`);
  }
}

function columnRows(columns: readonly FakeColumn[], id: string, readable: boolean): Rows {
  return columns.map(({ name, type, length = 8, precision = 0, scale = 0, nullable = false }) => [
    id,
    name,
    type,
    String(length),
    String(precision),
    String(scale),
    nullable ? '1' : '0',
    type.includes('char') ? COLLATION : null,
    readable ? '1' : '0',
  ]);
}

function indexRows(table: string, id: string, [key]: readonly FakeColumn[]): Rows {
  return [[id, `PK_${table}`, '1', '1', key?.name ?? '']];
}

function cellOf(value: unknown): TdsCell {
  if (value === null) return null;
  return value instanceof Uint8Array ? Buffer.from(value) : String(value);
}

function ofSqlite(statement: string): string {
  const [, top] = /^select top \((\d+)\)/.exec(statement) ?? [];
  const text = statement
    .replace(/^select top \(\d+\)/, 'select')
    .replaceAll('convert(binary(8), convert(bigint, min_active_rowversion()) - 1)', `x'ffffffffffffffff'`)
    .replace(/convert\(binary\(8\), (@p\d+), 2\)/g, 'unhex($1)')
    .replace(/convert\(bigint, (@p\d+)\)/g, 'cast($1 as integer)')
    .replace(/convert\(\w+(?:\([\w,]+\))?, (t\.\[\w+\]|@p\d+)(?:, \d+)?\)/g, '$1')
    .replaceAll('[dbo].', '');
  return top === undefined ? text : `${text} limit ${top}`;
}
