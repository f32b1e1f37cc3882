import { randomBytes } from 'node:crypto';
import type { Json } from '../../core/json';
import type { Highlight, SearchHit } from '../../core/search';
import { markedParts, similarParts } from './search-highlights';
import { recordsStatement, shown } from './search-statements';
import type { SearchTable } from './search-tables';
import type { SearchWords } from './search-words';
import type { Session, TextRow } from './session';

/** A record that was found, by where it lies. */
export interface Found {
  readonly table: SearchTable;
  /** Its place within the table, good in the same snapshot. */
  readonly at: string;
  readonly tie: string;
  readonly score: string;
  readonly match: SearchHit['match'];
}

/** Reads what is shown of records, inside the caller's snapshot. */
export async function readRecords(
  session: Session,
  found: readonly Found[],
  words: SearchWords,
): Promise<readonly SearchHit[]> {
  const hits = new Map<Found, SearchHit>();
  for (const match of ['words', 'similar'] as const) {
    const ofMatch = found.filter((one) => one.match === match);
    for (const table of new Set(ofMatch.map((one) => one.table))) {
      const records = ofMatch.filter((one) => one.table === table);
      for (const [record, hit] of await readOf(session, table, records, words, match)) hits.set(record, hit);
    }
  }
  return found.flatMap((one) => hits.get(one) ?? []);
}

async function readOf(
  session: Session,
  table: SearchTable,
  records: readonly Found[],
  words: SearchWords,
  match: SearchHit['match'],
): Promise<ReadonlyMap<Found, SearchHit>> {
  // Nobody can have put them into a text: they are made for this search.
  const secret = randomBytes(9).toString('hex');
  const mark = match === 'words' ? { start: `[${secret}`, stop: `${secret}]` } : undefined;
  const places = records.map(({ at }) => at);
  const { text, values } = recordsStatement(table, places, words, mark);
  const rows = new Map((await session.query(text, values)).map((row) => [row.at, row]));
  const partsOf = (marked: string) =>
    mark ? markedParts(marked, mark.start, mark.stop) : similarParts(marked, words.parts);
  const hits = new Map<Found, SearchHit>();
  for (const record of records) {
    const row = rows.get(record.at);
    if (row) hits.set(record, hitOf(record, row, partsOf));
  }
  return hits;
}

function hitOf(
  { table, score, match }: Found,
  row: TextRow,
  partsOf: (marked: string) => Highlight['parts'] | undefined,
): SearchHit {
  const { integration, stream, key, fields, types } = table;
  const value = (column: string, text: string | null | undefined) => jsonOf(types.get(column) ?? 'text', text);
  const highlights = fields.flatMap(({ field }, number): Highlight[] => {
    const parts = partsOf(row[`h${number}`] ?? '');
    return parts ? [{ field, parts }] : [];
  });
  return {
    integration,
    stream,
    key: Object.fromEntries(key.map((column, number) => [column, value(column, row[`k${number}`])])),
    match,
    score: Number(score),
    highlights,
    record: Object.fromEntries(fields.map(({ field, column }, number) => [field, value(column, row[`f${number}`])])),
  };
}

/** A stored value as JSON; what JSON has no exact form of stays text. */
function jsonOf(type: string, text: string | null | undefined): Json {
  if (text == null) return null;
  if (type === 'boolean') return text === 't' || text === 'true';
  const isNumber = ['smallint', 'integer', 'real', 'double precision'].includes(type) && Number.isFinite(Number(text));
  return isNumber ? Number(text) : shown(text);
}
