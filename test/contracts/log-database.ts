import type { Row } from '../../lib/core/batch';
import { Op } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';

/** One change of a table, as it stands in the log. */
export interface LogEntry {
  readonly table: LogTable;
  readonly schema: StreamSchema;
  /** Absent: the table was emptied. */
  readonly op?: number;
  readonly row: Row;
}

/** What was committed at once. */
export interface Transaction {
  /** How long the log was when it began. */
  readonly began: number;
  readonly entries: readonly LogEntry[];
}

/** A table; another one of the same name is another table. */
export interface LogTable {
  schema: StreamSchema;
  readonly rows: Map<number, Row>;
}

/** Whose changes are recorded for somebody who follows. */
export interface Follower {
  /** Transactions that were acknowledged. */
  acknowledged: number;
  /** How long the log was when the table was first recorded. */
  readonly since: Map<LogTable, number>;
}

/** Tables, and a log of what was committed to them: as little as a source needs that can be followed. */
export class LogDatabase {
  readonly tables = new Map<string, LogTable>();
  readonly log: Transaction[] = [];
  readonly followers = new Map<string, Follower>();
  /** Those that are open now. */
  connections = 0;
  #pending: LogEntry[] | undefined;

  create(stream: string, rows: readonly Row[]): void {
    const schema = tableSchema(stream);
    this.tables.set(stream, { schema, rows: new Map() });
    for (const row of rows) this.write(stream, Op.Insert, row);
  }

  table(stream: string): LogTable {
    const table = this.tables.get(stream);
    if (table === undefined) throw new Error(`there is no table ${stream}`);
    return table;
  }

  write(stream: string, op: number, row: Row): Row {
    const table = this.table(stream);
    const whole = table.schema.columns.map((_, index) => row[index] ?? null);
    if (op === Op.Delete) table.rows.delete(Number(row[0]));
    else table.rows.set(Number(row[0]), whole);
    this.#append({ table, schema: table.schema, op, row: whole });
    return whole;
  }

  truncate(stream: string): void {
    const table = this.table(stream);
    table.rows.clear();
    this.#append({ table, schema: table.schema, row: [] });
  }

  addColumn(stream: string, name: string): void {
    const table = this.table(stream);
    const column = { name, type: 'text', nullable: true, native: 'log/text' } as const;
    table.schema = { ...table.schema, columns: [...table.schema.columns, column] };
    for (const [id, row] of table.rows) table.rows.set(id, [...row, null]);
  }

  async together<T>(work: () => Promise<T>, began = this.log.length): Promise<T> {
    this.#pending = [];
    try {
      return await work();
    } finally {
      const entries = this.#pending;
      this.#pending = undefined;
      this.log.push({ began, entries });
    }
  }

  #append(entry: LogEntry): void {
    if (this.#pending) this.#pending.push(entry);
    else this.log.push({ began: this.log.length, entries: [entry] });
  }
}

function tableSchema(stream: string): StreamSchema {
  return {
    stream,
    key: ['id'],
    columns: [
      { name: 'id', type: 'int32', nullable: false, native: 'log/int32' },
      { name: 'text', type: 'text', nullable: true, native: 'log/text' },
    ],
  };
}
