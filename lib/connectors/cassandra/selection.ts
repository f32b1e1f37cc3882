import type { Row } from '../../core/batch';
import { Fault } from '../../core/fault';
import type { Statement } from './client';
import type { Functions } from './functions';
import { quoteIdentifier, quoteTable } from './identifiers';
import type { TokenRange } from './parts';
import { type Table, type TableColumn, timedColumns } from './table';
import { bigintOf, hasBytes, selected, selectedKey, type TypeReading, typeReading } from './types';

/** A row as the driver gives it. */
export interface DriverRow {
  readonly [name: string]: unknown;
}

/** What is asked of a table, and what the answers mean. Columns are renamed: a name of theirs could be one of JavaScript's. */
export class Selection {
  readonly #table: Table;
  readonly #functions: Functions;
  readonly #readings: readonly (readonly [alias: string, reading: TypeReading])[];
  readonly #key: readonly TableColumn[];
  readonly #times: readonly string[];
  readonly #list: string;

  constructor(table: Table, functions: Functions, withTimes: boolean) {
    const { columns, partition, clustering } = table;
    this.#table = table;
    this.#functions = functions;
    this.#readings = columns.map(({ type }, place) => [`c${place}`, typeReading(type)]);
    // Without clustering columns a row is a partition, and its token says all.
    this.#key = clustering.length > 0 ? [...partition, ...clustering] : [];
    const timed = withTimes ? timedColumns(table, functions) : [];
    this.#times = timed.map((_, place) => `w${place}`);
    this.#list = [
      ...columns.map(({ name, type }, place) => `${selected(quoteIdentifier(name), type, functions)} as c${place}`),
      ...this.#key.map(
        ({ name, type }, place) => `${selectedKey(quoteIdentifier(name), type, functions)} as k${place}`,
      ),
      ...timed.map(({ name }, place) => `${functions.writeTime.name}(${quoteIdentifier(name)}) as w${place}`),
      `${this.#token()} as t`,
    ].join(', ');
  }

  /** All partitions of a range. */
  range({ after, to }: TokenRange): Statement {
    return { cql: `${this.#select()} where ${this.#token()} > ? and ${this.#token()} <= ?`, values: [after, to] };
  }

  /** A whole partition. */
  partition(key: readonly string[]): Statement {
    const equal = this.#table.partition.map((column) => this.#relation(column, '='));
    return { cql: `${this.#select()} where ${equal.join(' and ')}`, values: this.#bound(key, equal.length) };
  }

  /** The keys of all partitions with one token. */
  partitionsAt(token: bigint): Statement {
    const names = this.#table.partition.map(({ name, type }, place) => {
      return `${selectedKey(quoteIdentifier(name), type, this.#functions)} as k${place}`;
    });
    const source = quoteTable(this.#table.keyspace, this.#table.name);
    return { cql: `select distinct ${names.join(', ')} from ${source} where ${this.#token()} = ?`, values: [token] };
  }

  /** The rows behind one row of its partition: a statement for each clustering column, the last one first. */
  behind(key: readonly string[]): Statement[] {
    const { partition, clustering } = this.#table;
    return [...clustering.keys()].reverse().map((depth) => {
      const columns = this.#key.slice(0, partition.length + depth + 1);
      const relations = columns.map((column, place) => {
        const last = place === columns.length - 1;
        return this.#relation(column, last ? (column.descending ? '<' : '>') : '=');
      });
      return {
        cql: `${this.#select()} where ${relations.join(' and ')}`,
        values: this.#bound(key, relations.length),
      };
    });
  }

  /** A row as it is loaded. */
  row(given: DriverRow): Row {
    const row: Row = new Array(this.#readings.length);
    for (const [place, [alias, reading]] of this.#readings.entries()) {
      const value = given[alias];
      row[place] = value === null || value === undefined ? null : this.#decoded(reading, value, given, place);
    }
    return row;
  }

  token(given: DriverRow): bigint {
    return bigintOf(given.t);
  }

  /** The key of a row, to go on behind it; `undefined` where it has none or a part of it is null. */
  key(given: DriverRow): readonly string[] | undefined {
    if (this.#key.length === 0) return undefined;
    const key = this.#key.map((_, place) => keyText(given[`k${place}`]));
    return this.#key.some(({ type }, place) => missing(type, given[`k${place}`])) ? undefined : key;
  }

  /** The key of a partition that {@link partitionsAt} gave. */
  partitionKey(given: DriverRow): readonly string[] {
    return this.#table.partition.map((_, place) => keyText(given[`k${place}`]));
  }

  /** Whether a partition follows that of a row, both with one token; in doubt it does, and is read once more. */
  comesAfter(key: readonly string[], row: readonly string[]): boolean {
    const { partition } = this.#table;
    const other = row.slice(0, partition.length);
    if (partition.every(({ type }) => hasBytes(type))) return serialized(key) > serialized(other);
    return JSON.stringify(key) !== JSON.stringify(other);
  }

  /** The newest write time of a row in microseconds; `undefined` where nothing but its key was written. */
  writeTime(given: DriverRow): bigint | undefined {
    let newest: bigint | undefined;
    for (const alias of this.#times) {
      const time = given[alias];
      if (time === null || time === undefined) continue;
      const microseconds = bigintOf(time);
      if (newest === undefined || microseconds > newest) newest = microseconds;
    }
    return newest;
  }

  #select(): string {
    return `select ${this.#list} from ${quoteTable(this.#table.keyspace, this.#table.name)}`;
  }

  #token(): string {
    return `token(${this.#table.partition.map(({ name }) => quoteIdentifier(name)).join(', ')})`;
  }

  #relation({ name, type }: TableColumn, operator: string): string {
    return `${quoteIdentifier(name)} ${operator} ${hasBytes(type) ? '?' : `${this.#functions.fromJson}(?)`}`;
  }

  // The driver passes on bytes as they are, whatever the type.
  #bound(key: readonly string[], count: number): unknown[] {
    const columns = [...this.#table.partition, ...this.#table.clustering];
    return key.slice(0, count).map((text, place) => {
      return hasBytes(columns[place]?.type ?? '') ? Buffer.from(text, 'hex') : text;
    });
  }

  #decoded({ decode }: TypeReading, value: unknown, given: DriverRow, place: number) {
    try {
      return decode(value);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const { kind, code, message, hint } = error.record();
      const { schema } = this.#table;
      const key = this.#table.schema.key.map((_, index) => String(given[`c${index}`])).join(', ');
      const where = `${schema.stream}, column ${schema.columns[place]?.name}, key ${key.slice(0, 200)}`;
      throw new Fault(kind, code, `reading ${where}: ${message}`, hint === undefined ? {} : { hint });
    }
  }
}

function keyText(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}

// A null has neither bytes nor JSON text of its own.
function missing(type: string, value: unknown): boolean {
  return value === null || value === undefined || (!hasBytes(type) && value === 'null');
}

// As the server compares keys of equal tokens: as bytes; those of several columns each with its length before it.
function serialized(key: readonly string[]): string {
  const [only = ''] = key;
  if (key.length === 1) return only;
  return key.map((hex) => `${(hex.length / 2).toString(16).padStart(4, '0')}${hex}00`).join('');
}
