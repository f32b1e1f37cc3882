import type { SearchPlace } from '../../core/search';
import { DELETED_AT, SEARCH_INDEX, SIMILAR_INDEX } from './names';
import type { SearchColumn } from './search-document';
import { parseIndexed } from './search-index';
import type { Session, TextRow } from './session';
import { literal, qualified } from './table';
import { arrayLiteral } from './types';

/** A table that can be searched. */
export interface SearchTable {
  readonly integration: string;
  readonly stream: string;
  /** As it stands in statements. */
  readonly name: string;
  readonly language: string;
  readonly fields: readonly SearchColumn[];
  readonly key: readonly string[];
  /** Columns by name, with their types. */
  readonly types: ReadonlyMap<string, string>;
  /** Deleted rows are marked. */
  readonly soft: boolean;
  /** There is an index of parts of words. */
  readonly similar: boolean;
}

/** Tables in the order in which equally good records are given. */
export async function searchTables(session: Session, places: readonly SearchPlace[]): Promise<readonly SearchTable[]> {
  const namespaces = [...new Set(places.map(({ namespace }) => namespace))];
  const found = await session.query(
    `SELECT n.nspname AS namespace FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = '_explorerio_tables' AND c.relkind = 'r' AND n.nspname = ANY ($1::text[])`,
    [arrayLiteral(namespaces)],
  );
  if (found.length === 0) return [];
  const rows = await session.query(found.map(({ namespace }) => tablesQuery(namespace ?? '')).join(' UNION ALL '), [
    arrayLiteral(places.map(({ integration }) => integration)),
    SEARCH_INDEX,
    SIMILAR_INDEX,
  ]);
  const wanted = new Set(
    places.flatMap(({ integration, namespace, streams }) =>
      streams.map((stream) => JSON.stringify([integration, namespace, stream])),
    ),
  );
  return rows
    .filter((row) => wanted.has(JSON.stringify([row.integration, row.namespace, row.stream])))
    .flatMap((row) => tableOf(row) ?? [])
    .sort(compareTables);
}

/** Orders tables. */
export function compareTables(
  left: { readonly integration: string; readonly stream: string },
  right: { readonly integration: string; readonly stream: string },
): number {
  return compareTexts(left.integration, right.integration) || compareTexts(left.stream, right.stream);
}

/** Orders texts by their bytes, as the server's collation `C` does. */
export function compareTexts(left: string, right: string): number {
  return left === right ? 0 : Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function tablesQuery(namespace: string): string {
  return `SELECT n.nspname AS namespace, r.integration, r.stream, r.table_name AS name,
      obj_description(x.oid, 'pg_class') AS definition,
      EXISTS (SELECT FROM pg_index s JOIN pg_class y ON y.oid = s.indexrelid
        WHERE s.indrelid = t.oid AND s.indisvalid AND starts_with(y.relname, $3)) AS similar,
      (SELECT json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) FROM pg_attribute a
        WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped) AS types,
      (SELECT json_agg(a.attname ORDER BY k.place) FROM pg_constraint c
        CROSS JOIN unnest(c.conkey) WITH ORDINALITY k(number, place)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
        WHERE c.conrelid = t.oid AND c.contype = 'p') AS key
    FROM ${qualified(namespace, '_explorerio_tables')} r
    JOIN pg_namespace n ON n.nspname = ${literal(namespace)}
    JOIN pg_class t ON t.relname = r.table_name AND t.relnamespace = n.oid
    JOIN pg_index i ON i.indrelid = t.oid AND i.indisvalid
    JOIN pg_class x ON x.oid = i.indexrelid AND starts_with(x.relname, $2)
    WHERE r.integration = ANY ($1::text[])`;
}

function tableOf(row: TextRow): SearchTable | undefined {
  const indexed = parseIndexed(row.definition);
  const types = new Map(Object.entries(JSON.parse(row.types ?? '{}') as { [column: string]: string }));
  if (indexed === undefined || indexed.fields.some(({ column }) => !types.has(column))) return undefined;
  return {
    integration: row.integration ?? '',
    stream: row.stream ?? '',
    name: qualified(row.namespace ?? '', row.name ?? ''),
    language: indexed.language,
    fields: indexed.fields,
    key: JSON.parse(row.key ?? '[]') as readonly string[],
    types,
    soft: types.has(DELETED_AT),
    similar: row.similar === 't',
  };
}
