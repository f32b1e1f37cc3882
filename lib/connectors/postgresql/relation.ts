import type { CursorCandidate, StreamInfo, SyncMode } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { StreamSchema } from '../../core/schema';
import type { CatalogRelation, RawIndex } from './catalog';
import { quoteTable, streamName } from './identifiers';
import { isCoarse, isCursorType, type ReadColumn, readColumn } from './types';

/** A relation as it is read: the shape of its stream and the SQL parts that give it. */
export interface Relation {
  readonly catalog: CatalogRelation;
  readonly schema: StreamSchema;
  /** One per column of `schema`, in order. */
  readonly reads: readonly ReadColumn[];
  /** What stands after FROM; the row is called `t`. */
  readonly source: string;
}

const PAGE_BYTES = 8192;
const KINDS: { readonly [kind: string]: string } = { v: 'view', m: 'materialized view', f: 'foreign table' };

/** Decides how a relation is read: only columns that may be read, and the best key among them. */
export function relationOf(catalog: CatalogRelation): Relation {
  const readable = catalog.columns.filter((column) => column.readable);
  const reads = readable.map(readColumn);
  const notNull = new Set(readable.filter((column) => column.notNull).map((column) => column.name));
  const name = quoteTable(catalog.schema, catalog.table);
  return {
    catalog,
    reads,
    schema: {
      stream: streamName(catalog.schema, catalog.table),
      columns: reads.map((read) => read.column),
      key: bestKey(catalog.indexes, notNull),
    },
    // Rows of a table that inherits belong to the stream of that table.
    source: catalog.kind === 'r' ? `only ${name} as t` : `${name} as t`,
  };
}

function bestKey(indexes: readonly RawIndex[], notNull: ReadonlySet<string>): readonly string[] {
  const usable = indexes.flatMap((index) => {
    const columns = index.columns.filter((column) => column !== null && notNull.has(column)) as string[];
    const exact = index.unique && !index.partial && (index.immediate || index.primary);
    return exact && columns.length === index.columns.length ? [{ index, columns }] : [];
  });
  const rank = (index: RawIndex) => (index.primary ? 0 : index.replica ? 1 : 2);
  usable.sort(
    (left, right) =>
      rank(left.index) - rank(right.index) ||
      left.columns.length - right.columns.length ||
      (left.index.name < right.index.name ? -1 : 1),
  );
  return usable[0]?.columns ?? [];
}

/** Whether an index gives the rows in the order of this column. */
export function isIndexed(catalog: CatalogRelation, column: string): boolean {
  return catalog.indexes.some((index) => index.ordered && !index.partial && index.columns[0] === column);
}

/** A relation as `discover` tells it. */
export function streamInfo(relation: Relation): StreamInfo {
  const { catalog, schema } = relation;
  const cursors = cursorCandidates(catalog);
  const modes: SyncMode[] = cursors.length > 0 ? ['full', 'incremental'] : ['full'];
  const unreadable = whyUnreadable(relation);
  const counted = catalog.rows >= 0 && 'rpm'.includes(catalog.kind);
  return {
    schema,
    modes,
    ...(counted && { estimate: { rows: catalog.rows, bytes: catalog.pages * PAGE_BYTES } }),
    cursors,
    notes: notes(relation),
    ...(unreadable && { unreadable }),
  };
}

function cursorCandidates(catalog: CatalogRelation): CursorCandidate[] {
  return catalog.columns
    .filter((column) => column.readable && isCursorType(column))
    .map((column) => ({
      column: column.name,
      nullable: !column.notNull,
      indexed: isIndexed(catalog, column.name),
      coarse: isCoarse(column),
    }));
}

function notes({ catalog, schema }: Relation): string[] {
  const hidden = catalog.columns.filter((column) => !column.readable).map((column) => column.name);
  const kind = KINDS[catalog.kind];
  return [
    ...(kind ? [`It is a ${kind}${catalog.kind === 'm' ? '' : ': read in one piece, without resuming'}.`] : []),
    ...(schema.key.length === 0 ? ['It has no primary key and no unique index over columns that are never null.'] : []),
    ...(hidden.length > 0 && hidden.length < catalog.columns.length
      ? [`Columns without SELECT are left out: ${hidden.join(', ')}.`]
      : []),
    ...(catalog.rowSecurity ? ['Row level security decides which rows this role sees.'] : []),
    ...(catalog.hasChildren ? ['Other tables inherit from it; their rows are in their own streams.'] : []),
  ];
}

function whyUnreadable({ catalog, schema }: Relation): Fault | undefined {
  const name = schema.stream;
  const role = (right: string) => `${right}, or leave the table out by "tables": ["!${name}"].`;
  if (!catalog.usable) {
    return new Fault('config', 'permission_denied', `reading ${name}: no USAGE on schema ${catalog.schema}`, {
      hint: role(`GRANT USAGE ON SCHEMA ${catalog.schema} to the role`),
    });
  }
  if (!catalog.selectable && schema.columns.length === 0) {
    return new Fault('config', 'permission_denied', `reading ${name}: no SELECT on it`, {
      hint: role(`GRANT SELECT ON ${quoteTable(catalog.schema, catalog.table)} to the role`),
    });
  }
  if (schema.columns.length === 0) {
    return new Fault('config', 'no_columns', `reading ${name}: it has no columns`, { hint: role('Add a column') });
  }
  if (!catalog.populated) {
    return new Fault('config', 'not_populated', `reading ${name}: the materialized view was never filled`, {
      hint: role('Run REFRESH MATERIALIZED VIEW on it'),
    });
  }
  return undefined;
}
