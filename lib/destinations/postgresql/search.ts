import type { Host } from '../../core/connector';
import { Fault } from '../../core/fault';
import type { SearchPlace, SearchReader, SearchRequest, SearchResult } from '../../core/search';
import { errorCode } from './classify';
import type { PostgresqlConfig } from './config';
import { readCursor, type SearchCursor, writeCursor } from './search-cursor';
import { type Found, readRecords } from './search-records';
import {
  type After,
  LOWEST_SCORE,
  MOST_COMPARED,
  type Stage,
  type Statement,
  similarStatement,
  wordsStatement,
} from './search-statements';
import { compareTables, compareTexts, type SearchTable, searchTables } from './search-tables';
import { type SearchWords, searchWords } from './search-words';
import { openSessions, type Session, transaction } from './session';
import { trigramSchema } from './trigrams';

/** What one search may take. */
export interface SearchLimits {
  /** For all its statements. */
  readonly milliseconds: number;
  /** Tables that one statement looks into. */
  readonly tables: number;
}

const LIMITS: SearchLimits = { milliseconds: 5000, tables: 200 };
const ATTEMPTS = 3;
/** Of a table, a column or an index that went away between two statements. */
const CHANGED = new Set(['42P01', '42703', '42704', '3F000', '42883']);
const CANCELLED = '57014';
/** Bounds of how much words must be like each other: below, everything is; above, two errors in a long word are too many. */
const LEAST_ALIKE = 0.3;
const MOST_ALIKE = 0.45;
const LONG_WORD = 20;

/** Opens the search over all tables of a database. */
export function openPostgresqlSearch(config: PostgresqlConfig, host: Host, limits = LIMITS): SearchReader {
  const sessions = openSessions({ ...config, max_connections: 2 }, host);
  return {
    async search(request, places, signal) {
      const words = searchWords(request.text);
      const cursor = request.after === undefined ? undefined : readCursor(request, request.after);
      for (let attempt = 1; ; attempt++) {
        try {
          return await sessions.use(signal, (session) =>
            new Search(session, request, words, cursor, limits).run(places),
          );
        } catch (error) {
          if (errorCode(error) === CANCELLED && !signal.aborted) throw tooSlow(limits, error);
          if (attempt === ATTEMPTS || !CHANGED.has(errorCode(error) ?? '')) throw error;
        }
      }
    },
    close: () => sessions.close(),
  };
}

type Hit = SearchResult['hits'][number];
type FoundHit = { readonly found: Found; readonly hit: Hit };

/** One page of one search. */
class Search {
  readonly #session: Session;
  readonly #request: SearchRequest;
  readonly #words: SearchWords;
  readonly #cursor: SearchCursor | undefined;
  readonly #warnings = new Set<string>();
  readonly #limits: SearchLimits;
  readonly #end: number;

  constructor(
    session: Session,
    request: SearchRequest,
    words: SearchWords,
    cursor: SearchCursor | undefined,
    limits: SearchLimits,
  ) {
    this.#limits = limits;
    this.#end = Date.now() + limits.milliseconds;
    this.#session = session;
    this.#request = request;
    this.#words = words;
    this.#cursor = cursor;
  }

  async run(places: readonly SearchPlace[]): Promise<SearchResult> {
    const tables = await searchTables(this.#session, places);
    const trigrams = await trigramSchema(this.#session);
    const all: FoundHit[] = [];
    const { tables: atOnce } = this.#limits;
    for (let first = 0; first < tables.length; first += atOnce) {
      const some = tables.slice(first, first + atOnce);
      all.push(...(await transaction(this.#session, () => this.#among(some, trigrams))));
    }
    const { limit } = this.#request;
    const sorted = all.sort((left, right) => compareFound(left.found, right.found));
    const page = sorted.slice(0, limit);
    const last = page.at(-1);
    return {
      hits: page.map(({ hit }) => hit),
      ...(sorted.length > limit && last && { next: writeCursor(this.#request, cursorOf(last.found)) }),
      warnings: [...this.#warnings],
    };
  }

  /** The best of some tables, one more than a page holds; all statements see the same snapshot. */
  async #among(tables: readonly SearchTable[], trigrams: string | undefined): Promise<readonly FoundHit[]> {
    await this.#session.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    // A page must be cut from the same order each time; a statement this short gains nothing by the others.
    await this.#session.query(
      `SELECT set_config('max_parallel_workers_per_gather', '0', true), set_config('synchronize_seqscans', 'off', true),
         set_config('jit', 'off', true), set_config('pg_trgm.word_similarity_threshold', $1, true)`,
      [thresholdOf(this.#words)],
    );
    const found = await this.#best(tables, trigrams);
    await this.#limitTime();
    const hits = await readRecords(this.#session, found, this.#words);
    return hits.flatMap((hit, place) => {
      const one = found[place];
      return one ? [{ found: one, hit }] : [];
    });
  }

  /** Each stage adds to the one before what it leaves free. */
  async #best(tables: readonly SearchTable[], trigrams: string | undefined): Promise<readonly Found[]> {
    const most = this.#request.limit + 1;
    const after = this.#after(tables);
    const isLeft = (stage: Stage) => after === undefined || Number(after.score) >= LOWEST_SCORE[stage];
    const words = isLeft('words')
      ? await this.#find(tables, 'words', wordsStatement(tables, this.#words, after, most))
      : [];
    const found = [...words];
    if (trigrams === undefined || this.#words.parts.length === 0 || !tables.some(({ similar }) => similar))
      return found;
    for (const stage of ['parts', 'errors'] as const) {
      const free = most - found.length;
      if (free === 0 || !isLeft(stage)) continue;
      const statement = similarStatement(stage, tables, this.#words, trigrams, after, free);
      found.push(...(await this.#similar(tables, statement)));
    }
    return found;
  }

  /** What looks like the words is worth less than an answer: it is left out where it takes too long. */
  async #similar(tables: readonly SearchTable[], statement: Statement): Promise<readonly Found[]> {
    await this.#session.query('SAVEPOINT stage');
    try {
      return await this.#find(tables, 'similar', statement, 2);
    } catch (error) {
      if (errorCode(error) !== CANCELLED) throw error;
      await this.#session.query('ROLLBACK TO SAVEPOINT stage');
      this.#warnings.add(
        'records with parts of the words or typing errors were left out: looking for them takes too long',
      );
      return [];
    }
  }

  async #find(
    tables: readonly SearchTable[],
    match: Found['match'],
    { text, values }: Statement,
    share = 1,
  ): Promise<readonly Found[]> {
    await this.#limitTime(share);
    const rows = await this.#session.query(text, values);
    return rows.flatMap((row): Found[] => {
      const table = tables[Number(row.place)];
      if (table === undefined) return [];
      if (Number(row.many) > MOST_COMPARED) this.#warnings.add(tooMany(table));
      return [{ table, at: row.at ?? '', tie: row.tie ?? '', score: row.score ?? '', match }];
    });
  }

  async #limitTime(share = 1): Promise<void> {
    const left = Math.max(1, Math.floor((this.#end - Date.now()) / share));
    await this.#session.query(`SELECT set_config('statement_timeout', $1, true)`, [String(left)]);
  }

  #after(tables: readonly SearchTable[]): After | undefined {
    const cursor = this.#cursor;
    if (cursor === undefined) return undefined;
    const place = tables.findIndex((table) => compareTables(table, cursor) >= 0);
    const at = tables[place];
    if (at === undefined) return { score: cursor.score, place: tables.length };
    return { score: cursor.score, place, ...(compareTables(at, cursor) === 0 && { tie: cursor.tie }) };
  }
}

/**
 * How much a word must be like another. One wrong letter changes three of the `n + 1` groups of three that a word of `n` letters
 * has, so that the two share `n - 2` of `n + 4`.
 */
function thresholdOf({ parts }: SearchWords): string {
  const shortest = Math.min(LONG_WORD, ...parts.map((word) => [...word].length));
  return Math.min(MOST_ALIKE, Math.max(LEAST_ALIKE, (shortest - 2) / (shortest + 4))).toFixed(2);
}

function cursorOf({ score, tie, table: { integration, stream } }: Found): SearchCursor {
  return { score, integration, stream, tie };
}

function compareFound(left: Found, right: Found): number {
  return (
    Number(right.score) - Number(left.score) ||
    compareTables(left.table, right.table) ||
    compareTexts(left.tie, right.tie)
  );
}

function tooMany({ integration, stream }: SearchTable): string {
  return `more than ${MOST_COMPARED} records of ${integration}/${stream} match: only so many were compared; give more words`;
}

function tooSlow({ milliseconds }: SearchLimits, cause: unknown): Fault {
  return new Fault('transient', 'search_timeout', `searching: it takes longer than ${milliseconds / 1000} seconds`, {
    hint: 'Name an integration or a stream, or give more or rarer words.',
    cause,
  });
}
