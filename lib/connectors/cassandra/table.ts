import type { StreamInfo, SyncMode } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { Column, StreamSchema } from '../../core/schema';
import type { Functions } from './functions';
import { isMultiCell, typeReading } from './types';

/** A column as the catalog describes it. */
export interface TableColumn {
  readonly name: string;
  /** Its CQL type. */
  readonly type: string;
  readonly kind: 'partition_key' | 'clustering' | 'static' | 'regular';
  readonly position: number;
  readonly descending: boolean;
}

/** A table as it is read. */
export interface Table {
  readonly keyspace: string;
  readonly name: string;
  /** In the order of the stream's columns. */
  readonly columns: readonly TableColumn[];
  readonly partition: readonly TableColumn[];
  readonly clustering: readonly TableColumn[];
  readonly schema: StreamSchema;
}

const KINDS = ['partition_key', 'clustering', 'static', 'regular'];

/** Decides how a table is read: the key first, in its order, then the other columns by name. */
export function tableOf(keyspace: string, name: string, unsorted: readonly TableColumn[]): Table {
  const columns = [...unsorted].sort(
    (left, right) =>
      KINDS.indexOf(left.kind) - KINDS.indexOf(right.kind) ||
      left.position - right.position ||
      (left.name < right.name ? -1 : 1),
  );
  const partition = columns.filter(({ kind }) => kind === 'partition_key');
  const clustering = columns.filter(({ kind }) => kind === 'clustering');
  const hasStatic = columns.some(({ kind }) => kind === 'static');
  const key = [...partition, ...clustering].map((column) => column.name);
  return {
    keyspace,
    name,
    columns,
    partition,
    clustering,
    schema: { stream: name, columns: columns.map((column) => streamColumn(column, hasStatic)), key },
  };
}

function streamColumn({ name, type, kind }: TableColumn, hasStatic: boolean): Column {
  const nullable = kind === 'partition_key' ? false : kind !== 'clustering' || hasStatic;
  return { name, type: typeReading(type).type, nullable, native: `cassandra/${type}` };
}

/** The columns whose write times are asked for in increments. */
export function timedColumns({ columns }: Table, { writeTime }: Functions): TableColumn[] {
  return columns.filter(
    ({ kind, type }) =>
      (kind === 'regular' || kind === 'static') && type !== 'counter' && (writeTime.multiCell || !isMultiCell(type)),
  );
}

/** What the server thinks is in a table. */
export interface Estimate {
  readonly rows: number;
  readonly bytes: number;
}

/** A table as `discover` tells it. */
export function streamInfo(table: Table, functions: Functions, estimate: Estimate | undefined): StreamInfo {
  const cursors = timedColumns(table, functions).map(({ name }) => ({
    column: name,
    nullable: true,
    indexed: false,
    coarse: false,
  }));
  const modes: SyncMode[] = cursors.length > 0 ? ['full', 'incremental'] : ['full'];
  return { schema: table.schema, modes, cursors, notes: notes(table, functions), ...(estimate && { estimate }) };
}

function notes(table: Table, functions: Functions): string[] {
  const values = table.columns.filter(({ kind }) => kind === 'regular' || kind === 'static');
  const timed = new Set(timedColumns(table, functions));
  const untimed = values.filter((column) => !timed.has(column)).map(({ name }) => name);
  const counters = values.some(({ type }) => type === 'counter');
  return [
    ...(counters
      ? ['It counts: counters have no write time that could be read, so it is read in full each time.']
      : []),
    ...(timed.size > 0
      ? ['An increment reads the whole table and passes on the rows that were written since the last.']
      : []),
    ...(!counters && untimed.length > 0 ? [`Increments do not see changes of: ${untimed.join(', ')}.`] : []),
    ...(values.length === 0 ? ['It has only a key, so there is no write time: it is read in full each time.'] : []),
    ...(table.clustering.length > 0 && values.some(({ kind }) => kind === 'static')
      ? ['A partition that has only static values gives one row whose clustering columns are null.']
      : []),
  ];
}

/** The fault for a table that is not there. */
export function tableMissing(stream: string): Fault {
  return new Fault('config', 'table_missing', `there is no table ${stream}`, {
    hint: 'The table was dropped or renamed; leave it out, or run a full sync.',
  });
}
