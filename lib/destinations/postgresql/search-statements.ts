import { DELETED_AT, quoted } from './names';
import { documentText, documentVector, fieldText, languageLiteral } from './search-document';
import type { SearchTable } from './search-tables';
import { anywhere, type SearchWords } from './search-words';

/** A statement and its parameters. */
export interface Statement {
  readonly text: string;
  readonly values: readonly string[];
}

/** Where a page begins among the tables of a statement. */
export interface After {
  readonly score: string;
  /** Tables before this one come no more at this score. */
  readonly place: number;
  /** The last record's own place in that table; `undefined`: the table is not among these. */
  readonly tie?: string;
}

/** Of more matches in one table, this many are compared; the others are not ordered by how good they are, but left out. */
export const MOST_COMPARED = 2000;
/** Characters of a field that are shown. */
const SHOWN_CHARACTERS = 2000;
/** Characters of a field in which similar words are marked. */
const MARKED_CHARACTERS = 20_000;

/** Collects the values of a statement. */
class Parameters {
  readonly values: string[] = [];

  add(value: string): string {
    this.values.push(value);
    return `$${this.values.length}::text`;
  }
}

/** Finds records that hold the words, best first. */
export function wordsStatement(
  tables: readonly SearchTable[],
  words: SearchWords,
  after: After | undefined,
  limit: number,
): Statement {
  const parameters = new Parameters();
  const query = tsquery(words, parameters);
  const parts = tables.map((table, place) => {
    const vector = documentVector(table.language, table.fields, 't.');
    return `SELECT ${place} AS place, at::text AS at, tie, round((1 + ts_rank(vector, query, 32))::numeric, 6) AS score
      FROM (SELECT t.ctid AS at, ${tieOf(table)} AS tie, ${vector} AS vector, ${query(table.language)} AS query
        FROM ${table.name} t WHERE ${vector} @@ ${query(table.language)}${live(table)} LIMIT ${MOST_COMPARED + 1}) c`;
  });
  return best(parts, parameters, after, limit);
}

/** How a record holds what was looked for: the words, parts of them, or words like them. Each is scored below the one before. */
export type Stage = 'words' | 'parts' | 'errors';

/** No record of a stage is scored lower. */
export const LOWEST_SCORE: { readonly [stage in Stage]: number } = { words: 1, parts: 0.9, errors: 0 };
const HIGHEST_WITH_ERRORS = 0.8;

/** Finds records that hold parts of the words, or words like them, but not what an earlier stage finds. */
export function similarStatement(
  stage: 'parts' | 'errors',
  tables: readonly SearchTable[],
  words: SearchWords,
  trigrams: string,
  after: After | undefined,
  limit: number,
): Statement {
  const parameters = new Parameters();
  const query = tsquery(words, parameters);
  const without = words.without === '' ? undefined : parameters.add(words.without);
  const sought = words.parts.map((word) => ({
    pattern: parameters.add(anywhere(word)),
    // The server cannot tell the type of a parameter that nothing uses.
    word: stage === 'errors' ? parameters.add(word) : '',
  }));
  const joined = (conditions: readonly string[]) => `(${conditions.join(words.either ? ' OR ' : ' AND ')})`;
  const parts = tables.flatMap((table, place) => {
    if (!table.similar) return [];
    const text = documentText(table.fields, 't.');
    const vector = documentVector(table.language, table.fields, 't.');
    const whole = joined(sought.map(({ pattern }) => `${text} ILIKE ${pattern}`));
    const like = joined(
      sought.map(({ word, pattern }) => `(${text} ILIKE ${pattern} OR ${text} OPERATOR(${trigrams}.%>) ${word})`),
    );
    const conditions = [
      stage === 'parts' ? whole : `${like} AND NOT ${whole}`,
      `NOT ${vector} @@ ${query(table.language)}`,
      ...(without ? [`NOT ${vector} @@ websearch_to_tsquery(${languageLiteral(table.language)}, ${without})`] : []),
    ];
    const score = stage === 'parts' ? `${LOWEST_SCORE.parts}` : likeness(sought, trigrams);
    return `SELECT ${place} AS place, at::text AS at, tie, round((${score})::numeric, 6) AS score
      FROM (SELECT t.ctid AS at, ${tieOf(table)} AS tie, ${text} AS text FROM ${table.name} t
        WHERE ${conditions.join(' AND ')}${live(table)} LIMIT ${MOST_COMPARED + 1}) c`;
  });
  return best(parts, parameters, after, limit);
}

/** How much a text holds of words, on the average. */
function likeness(sought: readonly { readonly word: string; readonly pattern: string }[], trigrams: string): string {
  const each = sought.map(
    ({ word, pattern }) => `CASE WHEN text ILIKE ${pattern} THEN 1 ELSE ${trigrams}.word_similarity(${word}, text) END`,
  );
  return `${HIGHEST_WITH_ERRORS} * (${each.join(' + ')}) / ${each.length}`;
}

function best(parts: readonly string[], parameters: Parameters, after: After | undefined, limit: number): Statement {
  const beyond = after ? `WHERE ${beyondOf(after, parameters)}` : '';
  const text = `SELECT place, at, tie, score, many FROM (
      SELECT h.*, count(*) OVER (PARTITION BY place) AS many FROM (${parts.join(' UNION ALL ')}) h) r
    ${beyond} ORDER BY score DESC, place, tie COLLATE "C" LIMIT ${limit}`;
  return { text, values: parameters.values };
}

function beyondOf({ score, place, tie }: After, parameters: Parameters): string {
  const value = `(${parameters.add(score)})::numeric`;
  const rest = tie === undefined ? '' : ` OR place = ${place} AND tie COLLATE "C" > ${parameters.add(tie)}`;
  const first = tie === undefined ? place : place + 1;
  return `(score < ${value} OR score = ${value} AND (place >= ${first}${rest}))`;
}

/** What is shown of records, by their place; with `mark` the words in their fields are between it. */
export function recordsStatement(
  table: SearchTable,
  at: readonly string[],
  words: SearchWords,
  mark: { readonly start: string; readonly stop: string } | undefined,
): Statement {
  const parameters = new Parameters();
  const query = mark && tsquery(words, parameters)(table.language);
  const columns = [
    ...table.key.map((column, number) => `(t.${quoted(column)})::text AS k${number}`),
    ...table.fields.flatMap(({ column }, number) => {
      const text = fieldText(column, 't.');
      const marked = query
        ? `ts_headline(${languageLiteral(table.language)}, ${text}, ${query}, ${parameters.add(headlineOptions(mark))})`
        : `left(${text}, ${MARKED_CHARACTERS})`;
      return [`left((t.${quoted(column)})::text, ${SHOWN_CHARACTERS + 1}) AS f${number}`, `${marked} AS h${number}`];
    }),
  ];
  const places = parameters.add(`{${at.map((tid) => `"${tid}"`).join(',')}}`);
  const text = `SELECT t.ctid::text AS at, ${columns.join(', ')} FROM ${table.name} t WHERE t.ctid = ANY ((${places})::tid[])`;
  return { text, values: parameters.values };
}

/** A shown text, cut where it is longer. */
export function shown(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** Stands between two pieces of a field. */
export const GAP = ' … ';

function headlineOptions({ start, stop }: { readonly start: string; readonly stop: string }): string {
  return `StartSel="${start}", StopSel="${stop}", MaxFragments=2, MinWords=8, MaxWords=24, FragmentDelimiter="${GAP}"`;
}

/** The query in one language; its parameters are added once, whatever tables there are. */
function tsquery(words: SearchWords, parameters: Parameters): (language: string) => string {
  const text = parameters.add(words.text);
  const { beginning } = words;
  if (beginning === undefined) return (language) => `websearch_to_tsquery(${languageLiteral(language)}, ${text})`;
  const before = parameters.add(beginning.before);
  const prefix = parameters.add(`'${beginning.word}':*`);
  return (language) => {
    const regconfig = languageLiteral(language);
    const joined = `websearch_to_tsquery(${regconfig}, ${before}) ${beginning.either ? '||' : '&&'} to_tsquery(${regconfig}, ${prefix})`;
    return `(websearch_to_tsquery(${regconfig}, ${text}) || (${joined}))`;
  };
}

/** What tells records of one table apart; it is the same when the same record is loaded again. */
function tieOf({ key }: SearchTable): string {
  if (key.length === 0) return 't.ctid::text';
  return `json_build_array(${key.map((column) => `(t.${quoted(column)})::text`).join(', ')})::text`;
}

function live({ soft }: SearchTable): string {
  return soft ? ` AND t.${DELETED_AT} IS NULL` : '';
}
