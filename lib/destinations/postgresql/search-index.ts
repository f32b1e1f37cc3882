import { invalidConfig } from '../../core/config';
import type { SearchableStream } from '../../core/search';
import { raiseMaintenanceMemory } from './maintenance-memory';
import { passingName, quoted, searchName, similarName } from './names';
import { documentText, documentVector, type SearchColumn, searchColumns } from './search-document';
import type { Session } from './session';
import type { Shape } from './shape';
import { literal, qualified, storedColumns } from './table';
import { ensureTrigrams, trigramSchema } from './trigrams';
import type { Writing } from './write';

/** What an index of words is over; kept as its comment. */
export interface IndexedSearch {
  readonly format: 1;
  /** The language's name in full, quoted. */
  readonly language: string;
  /** As the document calls it. */
  readonly wanted: string;
  readonly fields: readonly SearchColumn[];
}

/** What was done to the indexes of a table, in words, and what its owner should know of them. */
export interface SearchBuilt {
  readonly changes: readonly string[];
  readonly notes: readonly string[];
}

const NOTHING: SearchBuilt = { changes: [], notes: [] };
const NO_TRIGRAMS =
  'parts of words and typing errors are not found in the search: the extension pg_trgm is not there, and the role may not create it';

/** Makes sure that the fields can be searched once they are stored. @throws Fault `config` */
export async function checkSearch(session: Session, writing: Writing, shape: Shape, table: string): Promise<void> {
  const wanted = writing.search.get(shape.schema.stream);
  if (wanted) await definitionOf(session, writing, shape, table, wanted);
}

/**
 * Gives a table the indexes that its stream's settings ask for, and takes away others of ours, inside the caller's
 * transaction. They are expressions over the table's own columns: whatever is written, is found from its commit on.
 */
export async function ensureSearch(
  session: Session,
  writing: Writing,
  shape: Shape,
  table: string,
): Promise<SearchBuilt> {
  const { namespace } = writing.target;
  const wanted = writing.search.get(shape.schema.stream);
  const names = [searchName(table), similarName(table)].map((name) => qualified(namespace, name)) as [string, string];
  const [present] = await session.query(
    `SELECT obj_description(to_regclass($1), 'pg_class') AS comment, to_regclass($1) AS words, to_regclass($2) AS similar`,
    names,
  );
  if (!wanted) {
    if (!present?.words && !present?.similar) return NOTHING;
    await session.query(`DROP INDEX IF EXISTS ${names.join(', ')}`);
    return { changes: ['removed the search index'], notes: [] };
  }
  const known = parseIndexed(present?.comment);
  const same = known !== undefined && sameDefinition(known, wanted);
  if (same && (present?.similar || (await trigramSchema(session)) === undefined)) return NOTHING;
  const definition = await definitionOf(session, writing, shape, table, wanted);
  await raiseMaintenanceMemory(session);
  const build = (index: string, method: string) => buildIndex(session, namespace, table, index, method);
  await build(searchName(table), `(${documentVector(definition.language, definition.fields)})`);
  await session.query(`COMMENT ON INDEX ${names[0]} IS ${literal(JSON.stringify(definition))}`);
  const trigrams = await ensureTrigrams(session);
  if (trigrams === undefined) await session.query(`DROP INDEX IF EXISTS ${names[1]}`);
  else await build(similarName(table), `((${documentText(definition.fields)}) ${trigrams}.gin_trgm_ops)`);
  const built = `built the search index over ${wanted.fields.join(', ')} (${wanted.language})`;
  return { changes: [built], notes: trigrams === undefined ? [NO_TRIGRAMS] : [] };
}

/** Gives the indexes of the former shadow the names that go with its new name. */
export async function renameSearch(session: Session, namespace: string, shadow: string, table: string): Promise<void> {
  for (const name of [searchName, similarName]) {
    await session.query(`ALTER INDEX IF EXISTS ${qualified(namespace, name(shadow))} RENAME TO ${quoted(name(table))}`);
  }
}

/** Reads what an index is over; `undefined` where its comment is not ours any more. */
export function parseIndexed(comment: string | null | undefined): IndexedSearch | undefined {
  if (comment == null) return undefined;
  try {
    const value = JSON.parse(comment) as Partial<IndexedSearch> | null;
    return value?.format === 1 && Array.isArray(value.fields) ? (value as IndexedSearch) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function definitionOf(
  session: Session,
  { target }: Writing,
  { schema: { stream } }: Shape,
  table: string,
  wanted: SearchableStream,
): Promise<IndexedSearch> {
  const stored = (await storedColumns(session, qualified(target.namespace, table))) ?? new Map();
  const { columns, issues } = searchColumns(stream, wanted, stored);
  if (issues.length > 0) {
    throw invalidConfig(issues, `Correct the names in streams.${stream}.search, or remove them. Nothing was changed.`);
  }
  const language = await languageOf(session, stream, wanted.language);
  return { format: 1, language, wanted: wanted.language, fields: columns };
}

/** The full name of a text search configuration. @throws Fault `config`/`invalid_config` */
async function languageOf(session: Session, stream: string, name: string): Promise<string> {
  const [schema, plain] = name.includes('.') ? name.split('.', 2) : ['pg_catalog', name];
  const rows = await session.query(
    `SELECT n.nspname = $1 AND c.cfgname = $2 AS found, format('%I.%I', n.nspname, c.cfgname) AS full_name,
       CASE WHEN n.nspname = 'pg_catalog' THEN c.cfgname ELSE n.nspname || '.' || c.cfgname END AS name
     FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace ORDER BY 3`,
    [schema ?? '', plain ?? ''],
  );
  const found = rows.find((row) => row.found === 't')?.full_name;
  if (found != null) return found;
  const message = `the destination has no language ${name}; it has ${rows.map((row) => row.name).join(', ')}`;
  throw invalidConfig([{ path: `streams.${stream}.search_language`, message }]);
}

/** Builds an index beside the one it replaces, so that readers wait for the change of names only. */
async function buildIndex(session: Session, namespace: string, table: string, index: string, method: string) {
  const passing = passingName(index, table);
  await session.query(`CREATE INDEX ${quoted(passing)} ON ${qualified(namespace, table)} USING gin ${method}`);
  // Statistics would be made by computing the text of a sample of rows at each ANALYZE; the defaults choose the index.
  await session.query(`ALTER INDEX ${qualified(namespace, passing)} ALTER COLUMN 1 SET STATISTICS 0`);
  await session.query(`DROP INDEX IF EXISTS ${qualified(namespace, index)}`);
  await session.query(`ALTER INDEX ${qualified(namespace, passing)} RENAME TO ${quoted(index)}`);
}

function sameDefinition({ fields, wanted }: IndexedSearch, { fields: names, language }: SearchableStream): boolean {
  return wanted === language && fields.length === names.length && fields.every(({ field }, at) => field === names[at]);
}
