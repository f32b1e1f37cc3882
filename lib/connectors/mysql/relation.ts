import type { CursorCandidate, StreamInfo, SyncMode } from '../../core/connector';
import { Fault } from '../../core/fault';
import { bestIndex, type KeyIndex } from '../shared/sql/best-key';
import type { SqlRelation } from '../shared/sql/relation';
import type { CatalogIndex, CatalogTable } from './catalog';
import { quoteTable } from './identifiers';
import { isCoarse, isCursorType, type MysqlColumn, readColumn, type TypeOptions } from './types';

/** A relation as it is read. */
export interface MysqlRelation extends SqlRelation<MysqlColumn> {
  /** The name of the index behind the order; empty where there is none. */
  readonly keyIndex: string;
}

const SNAPSHOT_ENGINES = new Set(['InnoDB', '']);

/** Decides how a table is read: only columns that may be read, and the best key among them. */
export function relationOf(database: string, table: CatalogTable, options: TypeOptions): MysqlRelation {
  const readable = table.columns.filter((column) => column.readable);
  const notNull = new Set(readable.filter((column) => !column.nullable).map((column) => column.name));
  const index = table.isView ? undefined : bestIndex(table.indexes.map(asKey), notNull);
  const key = index?.columns ?? [];
  const columns = readable.map((column) => readColumn(column, options, key.includes(column.name)));
  return {
    info: infoOf(database, table, columns, key),
    columns,
    source: `${quoteTable(database, table.name)} as t`,
    order: key.flatMap((name) => columns.find(({ column }) => column.name === name) ?? []),
    keyIndex: index?.name ?? '',
  };
}

function asKey({ name, unique, ordered, columns }: CatalogIndex): KeyIndex {
  return { name, unique: unique && ordered, primary: name === 'PRIMARY', columns };
}

function infoOf(
  database: string,
  table: CatalogTable,
  columns: readonly MysqlColumn[],
  key: readonly string[],
): StreamInfo {
  const cursors = cursorCandidates(table, columns, key);
  const modes: SyncMode[] = cursors.length > 0 ? ['full', 'incremental'] : ['full'];
  const unreadable = columns.length === 0 ? unreadableTable(database, table) : undefined;
  return {
    schema: { stream: table.name, columns: columns.map(({ column }) => column), key },
    modes,
    ...(!table.isView && { estimate: { rows: table.rows, bytes: table.bytes } }),
    cursors,
    notes: notes(table, key),
    ...(unreadable && { unreadable }),
  };
}

function cursorCandidates(
  table: CatalogTable,
  columns: readonly MysqlColumn[],
  key: readonly string[],
): CursorCandidate[] {
  return table.columns.flatMap((source) => {
    const read = columns.find(({ column }) => column.name === source.name);
    if (read === undefined || !isCursorType(source)) return [];
    // Dates read as null, and those that are null, would get the same record ids.
    if (key.length === 0 && read.column.nullable && !source.nullable) return [];
    return {
      column: source.name,
      nullable: read.column.nullable,
      indexed: table.indexes.some((index) => index.ordered && index.columns[0] === source.name),
      coarse: isCoarse(source),
    };
  });
}

function notes(table: CatalogTable, key: readonly string[]): string[] {
  const hidden = table.columns.filter((column) => !column.readable).map((column) => column.name);
  return [
    ...(table.isView ? ['It is a view: read in one piece, without resuming.'] : []),
    ...(key.length === 0 && !table.isView
      ? ['It has no primary key and no unique index over whole columns that are never null.']
      : []),
    ...(SNAPSHOT_ENGINES.has(table.engine)
      ? []
      : [`Its engine, ${table.engine}, has no snapshots: writes during a full read show in part.`]),
    ...(hidden.length > 0 && hidden.length < table.columns.length
      ? [`Columns without SELECT are left out: ${hidden.join(', ')}.`]
      : []),
  ];
}

function unreadableTable(database: string, { name, isView, columns }: CatalogTable): Fault {
  if (isView && columns.length === 0) {
    return new Fault(
      'config',
      'view_invalid',
      `reading ${name}: the view names what is not there, or not for its definer`,
      {
        hint: `Correct the view, or leave it out by "tables": ["!${name}"].`,
      },
    );
  }
  return new Fault('config', 'permission_denied', `reading ${name}: no SELECT on it`, {
    hint: `GRANT SELECT ON ${quoteTable(database, name)} to the user, or leave the table out by "tables": ["!${name}"].`,
  });
}

/** A table that the configuration names and the server does not show: a stream that cannot be read. */
export function hiddenRelation(name: string): MysqlRelation {
  return {
    info: {
      schema: { stream: name, columns: [], key: [] },
      modes: ['full'],
      cursors: [],
      notes: [],
      unreadable: tableMissing(name),
    },
    columns: [],
    source: '',
    order: [],
    keyIndex: '',
  };
}

/** The fault for a table that is not there, as far as the user can see. */
export function tableMissing(name: string): Fault {
  return new Fault(
    'config',
    'table_missing',
    `reading ${name}: there is no such table, or the user has no right on it`,
    {
      hint: 'GRANT SELECT on it to the user, correct the name, or leave it out of "tables".',
    },
  );
}
