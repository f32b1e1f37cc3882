import type { CursorCandidate, StreamInfo, SyncMode } from '../../core/connector';
import { Fault } from '../../core/fault';
import { bestKey } from '../shared/sql/best-key';
import type { SqlRelation } from '../shared/sql/relation';
import type { CatalogColumn, CatalogTable } from './catalog';
import { quoteTable, streamOf } from './identifiers';
import { isCoarse, isCursorType, isOrdered, type MssqlColumn, readColumn, type TypeOptions } from './types';

/** A relation as it is read. */
export type MssqlRelation = SqlRelation<MssqlColumn>;

/** Decides how a table is read: only columns that may be read, and the best key among them. */
export function relationOf(table: CatalogTable, options: TypeOptions): MssqlRelation {
  const readable = table.columns.filter((column) => column.readable);
  const usable = new Set(readable.filter((column) => !column.nullable && isOrdered(column)).map(({ name }) => name));
  const key = bestKey(table.indexes, usable);
  const columns = readable.map((column) => readColumn(column, options, key.includes(column.name)));
  return {
    info: infoOf(table, columns, key),
    columns,
    source: `${quoteTable(table.schema, table.name)} as t`,
    order: key.flatMap((name) => columns.find(({ column }) => column.name === name) ?? []),
  };
}

function infoOf(table: CatalogTable, columns: readonly MssqlColumn[], key: readonly string[]): StreamInfo {
  const cursors = table.columns.filter((column) => column.readable && isCursorType(column)).map(candidate);
  const modes: SyncMode[] = cursors.length > 0 ? ['full', 'incremental'] : ['full'];
  const hidden = table.columns.filter((column) => !column.readable).map((column) => column.name);
  const stream = streamOf(table.schema, table.name);
  return {
    schema: { stream, columns: columns.map(({ column }) => column), key },
    modes,
    ...(!table.isView && { estimate: { rows: table.rows, bytes: table.bytes } }),
    cursors,
    notes: [
      ...(table.isView ? ['It is a view: read in one piece, without resuming.'] : []),
      ...(key.length === 0 && !table.isView
        ? ['It has no primary key and no unique index without filter over columns that are never null.']
        : []),
      ...(hidden.length > 0 && columns.length > 0
        ? [`Columns without SELECT are left out: ${hidden.join(', ')}.`]
        : []),
    ],
    ...(columns.length === 0 && { unreadable: refusedTable(table, stream) }),
  };

  function candidate(source: CatalogColumn): CursorCandidate {
    return {
      column: source.name,
      nullable: source.nullable,
      indexed: table.indexes.some(({ columns: [first] }) => first === source.name),
      coarse: isCoarse(source),
    };
  }
}

function refusedTable({ schema, name }: CatalogTable, stream: string): Fault {
  return new Fault('config', 'permission_denied', `reading ${stream}: no SELECT on it`, {
    hint: `GRANT SELECT ON ${quoteTable(schema, name)} to the user, or leave it out by "tables": ["!${stream}"].`,
  });
}

/** A table that the configuration names and the server does not show: a stream that cannot be read. */
export function hiddenRelation(stream: string): MssqlRelation {
  const schema = { stream, columns: [], key: [] };
  const info = { schema, modes: ['full' as const], cursors: [], notes: [], unreadable: tableMissing(stream) };
  return { info, columns: [], source: '', order: [] };
}

/** The fault for a table that is not there, as far as the user can see. */
export function tableMissing(stream: string): Fault {
  return new Fault(
    'config',
    'table_missing',
    `reading ${stream}: there is no such table, or the user has no right on it`,
    { hint: 'GRANT SELECT on it to the user, correct the name, or leave it out of "tables".' },
  );
}
