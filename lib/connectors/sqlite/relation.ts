import type { CursorCandidate, StreamInfo, SyncMode } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { SqlRelation } from '../shared/sql/relation';
import type { CatalogTable } from './catalog';
import { readColumn, rowidColumn, type SqliteColumn } from './columns';
import { quoteIdentifier } from './identifiers';
import type { Look } from './look';
import { rowidOf } from './rowid';
import { formOf, isDated } from './types';

/** A relation as it is read. */
export type SqliteRelation = SqlRelation<SqliteColumn>;

interface KeyColumn {
  readonly name: string;
  readonly collation: string;
}

// Others belong to the program that wrote the file.
const COLLATIONS = new Set(['BINARY', 'NOCASE', 'RTRIM']);
const BINARY = 'BINARY';
/** SQLite takes no more in a result either, so that beside so many there is no place for the rowid. */
const MOST_COLUMNS = 2000;

/** Decides how a table is read, after a look at its values. */
export function relationOf(table: CatalogTable, look: Look, strictly: boolean): SqliteRelation {
  const key = keyOf(table, look);
  const columns = table.columns.map((source, index) => {
    const classes = look.classes[index] ?? new Set();
    const inKey = key.find(({ name }) => name === source.name);
    const collation = inKey?.collation ?? leadingCollation(table, source.name) ?? BINARY;
    const form = formOf(source, classes, strictly);
    return readColumn({ table, source, form, classes, collation, inKey: inKey !== undefined, strictly });
  });
  const rowid = rowidOf(table);
  const byKey = key.flatMap(({ name }) => columns.find(({ column }) => column.name === name) ?? []);
  const byRowid = rowid === undefined || columns.length >= MOST_COLUMNS ? [] : [rowidColumn(table, rowid)];
  return {
    info: infoOf(table, look, columns, key),
    columns,
    source: `main.${quoteIdentifier(table.name)} as t`,
    order: byKey.length > 0 ? byKey : byRowid,
  };
}

/** The primary key, or else the unique index with the fewest columns: never null, and of one type each. */
function keyOf(table: CatalogTable, look: Look): readonly KeyColumn[] {
  const alias = table.columns.find(({ rowidAlias }) => rowidAlias);
  if (alias) return [{ name: alias.name, collation: BINARY }];
  const usable = table.indexes.filter(
    ({ unique, primary, columns }) => unique && columns.every((column) => isKey(table, look, column, primary)),
  );
  const rank = ({ primary, columns }: (typeof usable)[number]) => (primary ? 0 : columns.length);
  return [...usable].sort((left, right) => rank(left) - rank(right))[0]?.columns ?? [];
}

function isKey(table: CatalogTable, look: Look, { name, collation }: KeyColumn, primary: boolean): boolean {
  const place = table.columns.findIndex((column) => column.name === name);
  const source = table.columns[place];
  const classes = look.classes[place];
  if (source === undefined || classes === undefined || !COLLATIONS.has(collation.toUpperCase())) return false;
  // SQLite allows NULL in most primary keys, and there it is looked for.
  const neverNull = !source.nullable || (primary && !classes.has('null'));
  return neverNull && formOf(source, classes, false) !== 'any';
}

function leadingCollation({ indexes }: CatalogTable, name: string): string | undefined {
  const leading = indexes.find(({ columns }) => columns[0]?.name === name)?.columns[0]?.collation;
  return leading !== undefined && COLLATIONS.has(leading.toUpperCase()) ? leading : undefined;
}

function infoOf(
  table: CatalogTable,
  { rows, bytes }: Look,
  columns: readonly SqliteColumn[],
  key: readonly KeyColumn[],
): StreamInfo {
  const cursors = cursorCandidates(table, columns);
  const modes: SyncMode[] = cursors.length > 0 ? ['full', 'incremental'] : ['full'];
  return {
    schema: { stream: table.name, columns: columns.map(({ column }) => column), key: key.map(({ name }) => name) },
    modes,
    estimate: { rows, bytes },
    cursors,
    notes: notesOf(table, columns, key),
  };
}

function cursorCandidates(table: CatalogTable, columns: readonly SqliteColumn[]): CursorCandidate[] {
  return columns.flatMap(({ column, form }, index) => {
    const source = table.columns[index];
    if (source === undefined || form === 'any' || form === 'bytes') return [];
    return {
      column: column.name,
      nullable: column.nullable,
      indexed: source.rowidAlias || table.indexes.some((one) => one.columns[0]?.name === column.name),
      coarse: form === 'text' || isDated(source),
    };
  });
}

function notesOf(table: CatalogTable, columns: readonly SqliteColumn[], key: readonly KeyColumn[]): string[] {
  const mixed = columns.filter(({ form }) => form === 'any').map(({ column }) => column.name);
  const hasPrimary = table.columns.some(({ keyPlace }) => keyPlace > 0);
  return [
    ...(table.kind === 'view' ? ['It is a view: read in one piece, without resuming.'] : []),
    ...(table.kind === 'virtual' ? ['It is a virtual table: read in one piece, without resuming.'] : []),
    ...(key.length === 0 && table.kind === 'table'
      ? [
          hasPrimary
            ? 'Its primary key holds NULL or values of several types, and is no key therefore.'
            : 'It has no primary key and no unique index over whole columns that are never null.',
          ...(columns.length >= MOST_COLUMNS
            ? ['It has as many columns as SQLite takes: read in one piece, without resuming.']
            : []),
        ]
      : []),
    ...(mixed.length > 0 ? [`Columns with values of several types are read as text: ${mixed.join(', ')}.`] : []),
  ];
}

/** A table that cannot be read, with the reason. */
export function unreadableRelation(name: string, unreadable: Fault): SqliteRelation {
  const schema = { stream: name, columns: [], key: [] };
  return { info: { schema, modes: ['full'], cursors: [], notes: [], unreadable }, columns: [], source: '', order: [] };
}

/** The fault for a view or virtual table that does not work here. */
export function unusable(name: string, cause: unknown): Fault {
  const message = `reading ${name}: it cannot be opened: ${(cause as Error).message}`;
  return new Fault('config', 'view_invalid', message, {
    hint: `It names a table, column, function or module that is not there: correct it, or leave it out by "tables": ["!${name}"].`,
    cause,
  });
}

/** The fault for a table that is not there. */
export function tableMissing(name: string): Fault {
  return new Fault('config', 'table_missing', `reading ${name}: there is no such table or view in the file`, {
    hint: 'It was dropped or renamed: correct the name, or leave it out of "tables".',
  });
}
