import { invalidConfig, nearest } from '../core/config';
import type { IntegrationFields } from '../core/integration';
import type { StreamSchema } from '../core/schema';
import type { SearchableStreams } from '../core/search';

const PLAIN_LANGUAGE = 'simple';

/** What a document says of the search. */
export function searchableStreams({ streams = {} }: Pick<IntegrationFields, 'streams'>): SearchableStreams {
  const named = Object.entries(streams).flatMap(([stream, { search, search_language: language }]) =>
    search ? [[stream, { fields: search, language: language ?? PLAIN_LANGUAGE }] as const] : [],
  );
  return Object.fromEntries(named);
}

/** Makes sure that a stream, as it is stored, has the fields that are named. @throws Fault `config`/`invalid_config` */
export function checkSearchFields({ stream, columns }: StreamSchema, fields: IntegrationFields): void {
  const wanted = new Map(Object.entries(searchableStreams(fields))).get(stream)?.fields ?? [];
  const known = columns.map(({ name }) => name);
  const issues = wanted.flatMap((field, place) =>
    known.includes(field) ? [] : [{ path: `streams.${stream}.search[${place}]`, message: unknownField(field, known) }],
  );
  if (issues.length > 0) throw invalidConfig(issues);
}

function unknownField(field: string, known: readonly string[]): string {
  const near = nearest(field, known);
  return near === undefined
    ? `the stream has no field ${field}`
    : `the stream has no field ${field}; did you mean "${near}"?`;
}
