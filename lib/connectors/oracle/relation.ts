import type { CursorCandidate, StreamInfo, SyncMode } from '../../core/connector';
import { Fault } from '../../core/fault';
import { bestKey } from '../shared/sql/best-key';
import type { SqlRelation } from '../shared/sql/relation';
import type { CatalogColumn, CatalogTable } from './catalog';
import { quoteTable, streamOf } from './identifiers';
import {
  isCoarse,
  isCursorType,
  isKnown,
  isOrdered,
  type OracleColumn,
  ROW_ADDRESS,
  ROW_SCN,
  readColumn,
  type TypeOptions,
} from './types';

/** A relation as it is read. */
export interface OracleRelation extends SqlRelation<OracleColumn> {
  /** Quoted. */
  readonly name: string;
  /** Whether it can be read as of a moment that has passed. */
  readonly flashesBack: boolean;
  /** Whether its blocks can be sampled, and its rows have change numbers. */
  readonly isHeap: boolean;
}

/** How relations are read. */
export interface RelationOptions extends TypeOptions {
  /** The schema whose streams are called by the name of the table alone. */
  readonly home: string;
  readonly rowScn: boolean;
}

/** Decides how a table is read: its columns, and the best key among them. */
export function relationOf(table: CatalogTable, options: RelationOptions): OracleRelation {
  const usable = new Set(table.columns.filter((one) => !one.nullable && isOrdered(one)).map(({ name }) => name));
  const key = bestKey(table.indexes, usable);
  const isHeap = table.kind === 'table' && !table.isIndexOrganised;
  const withScn = options.rowScn && isHeap;
  const flashesBack = table.mayFlashBack && table.kind !== 'external' && !withScn;
  const columns = [
    ...table.columns.flatMap((source) => readColumn(source, options, key.includes(source.name)) ?? []),
    ...(withScn ? [ROW_SCN] : []),
  ];
  const name = quoteTable(table.schema, table.name);
  const byAddress = key.length === 0 && flashesBack && isHeap;
  return {
    info: infoOf(table, { columns, key, withScn, stream: streamOf(options.home, table.schema, table.name) }),
    columns,
    name,
    source: `${name} t`,
    flashesBack,
    isHeap,
    ...(byAddress
      ? { order: [ROW_ADDRESS], momentary: true as const }
      : { order: key.flatMap((part) => columns.find(({ column }) => column.name === part) ?? []) }),
  };
}

interface Found {
  readonly stream: string;
  readonly columns: readonly OracleColumn[];
  readonly key: readonly string[];
  readonly withScn: boolean;
}

function infoOf(table: CatalogTable, { stream, columns, key, withScn }: Found): StreamInfo {
  const cursors = [
    ...table.columns.filter(isCursorType).map((source) => candidate(table, source)),
    ...(withScn
      ? [{ column: ROW_SCN.column.name, nullable: false, indexed: false, coarse: !table.hasRowDependencies }]
      : []),
  ];
  const modes: SyncMode[] = cursors.length > 0 ? ['full', 'incremental'] : ['full'];
  return {
    schema: { stream, columns: columns.map(({ column }) => column), key },
    modes,
    ...(table.estimate && { estimate: table.estimate }),
    cursors,
    notes: notesOf(table, key),
    ...(columns.length === 0 && { unreadable: nothingToRead(stream) }),
  };
}

function candidate(table: CatalogTable, source: CatalogColumn): CursorCandidate {
  return {
    column: source.name,
    nullable: source.nullable,
    indexed: table.indexes.some(({ columns: [first] }) => first === source.name),
    coarse: isCoarse(source),
  };
}

function notesOf({ kind, columns, mayFlashBack }: CatalogTable, key: readonly string[]): string[] {
  const unknown = columns.filter((column) => !isKnown(column)).map(({ name, native }) => `${name} (${native})`);
  return [
    ...(kind === 'view' ? ['It is a view: read in one piece, without resuming.'] : []),
    ...(kind === 'external' ? ['It is an external table: read in one piece, as it is at that time.'] : []),
    ...(key.length === 0 && kind === 'table'
      ? ['It has no primary key and no unique index over columns that are never null.']
      : []),
    ...(mayFlashBack || kind === 'external'
      ? []
      : ['Without GRANT FLASHBACK on it, it is not read as of the same moment as others.']),
    ...(unknown.length > 0 ? [`Columns of types that are not read are left out: ${unknown.join(', ')}.`] : []),
  ];
}

function nothingToRead(stream: string): Fault {
  return new Fault('config', 'no_columns', `reading ${stream}: it has no column of a type that is read`, {
    hint: `Leave it out by "tables": ["!${stream}"], or make a view that converts its columns.`,
  });
}

/** A table that the configuration names and the server does not show: a stream that cannot be read. */
export function hiddenRelation(stream: string): OracleRelation {
  const schema = { stream, columns: [], key: [] };
  const info = { schema, modes: ['full' as const], cursors: [], notes: [], unreadable: tableMissing(stream) };
  return { info, columns: [], name: '', source: '', order: [], flashesBack: false, isHeap: false };
}

/** The fault for a table that is not there, as far as the user can see. */
export function tableMissing(stream: string): Fault {
  return new Fault(
    'config',
    'table_missing',
    `reading ${stream}: there is no such table, or the user has no right on it`,
    { hint: 'GRANT SELECT on it to the user, correct the name (mostly in capitals), or leave it out of "tables".' },
  );
}
