import type { FieldIssue } from '../../core/fault';
import type { SearchableStream } from '../../core/search';
import { columnName, quoted } from './names';
import type { StoredColumns } from './table';

/**
 * Characters of a record that are indexed, all its fields together. A tsvector holds one mebibyte, and a record that
 * cannot be indexed cannot be stored.
 */
const INDEXED_CHARACTERS = 100_000;

/** Types whose text is the same under every setting: an index must not depend on one. */
const SEARCHABLE_TYPES = [
  'text',
  'character varying',
  'character',
  'uuid',
  'json',
  'jsonb',
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'real',
  'double precision',
  'inet',
  'cidr',
  'macaddr',
];

/** A field and the column it is stored in. */
export interface SearchColumn {
  readonly field: string;
  readonly column: string;
}

/** The text of a record, as it stands in the index and in each query that is to use it. */
export function documentText(columns: readonly SearchColumn[], alias = ''): string {
  const texts = columns.map(({ column }) => fieldText(column, alias));
  return `left(${texts.join(` || E'\\n' || `)}, ${INDEXED_CHARACTERS})`;
}

/** The text of one field. */
export function fieldText(column: string, alias = ''): string {
  return `coalesce(left((${alias}${quoted(column)})::text, ${INDEXED_CHARACTERS}), '')`;
}

/** The words of a record; `language` is a quoted name in full. */
export function documentVector(language: string, columns: readonly SearchColumn[], alias = ''): string {
  return `to_tsvector(${languageLiteral(language)}, ${documentText(columns, alias)})`;
}

/** A text search configuration as a constant. */
export function languageLiteral(language: string): string {
  return `'${language.replaceAll("'", "''")}'::regconfig`;
}

/** The columns of the searchable fields, and what is wrong with fields that have none. */
export function searchColumns(
  stream: string,
  { fields }: SearchableStream,
  stored: StoredColumns,
): { readonly columns: readonly SearchColumn[]; readonly issues: readonly FieldIssue[] } {
  const columns = fields.map((field): SearchColumn => ({ field, column: columnName(field) }));
  const issues = columns.flatMap(({ field, column }, place) => {
    const message = problemOf(field, stored.get(column)?.type);
    return message === undefined ? [] : [{ path: `streams.${stream}.search[${place}]`, message }];
  });
  return { columns, issues };
}

function problemOf(field: string, type: string | undefined): string | undefined {
  if (type === undefined) return `the stream has no field ${field}`;
  if (SEARCHABLE_TYPES.includes(type.replace(/\(.*?\)/, ''))) return undefined;
  return `field ${field} is ${type}, whose text depends on settings of the server; make it a text first by a step data_type_conversion to "string"`;
}
