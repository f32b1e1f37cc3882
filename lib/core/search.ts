import type { Json } from './json';

/** Which fields of a stream can be searched. */
export interface SearchableStream {
  readonly fields: readonly string[];
  /** Name of the rules by which words are compared, such as `simple` or `english`. */
  readonly language: string;
}

/** The streams of one integration that can be searched, by name. */
export type SearchableStreams = { readonly [stream: string]: SearchableStream };

/** The longest text that can be searched for, in characters. */
export const LONGEST_SEARCH = 500;

/** What to look for. */
export interface SearchRequest {
  /** Words; `"a phrase"`, `or` and `-without` are understood. The last word may be the beginning of one. */
  readonly text: string;
  readonly integration?: string;
  readonly stream?: string;
  readonly limit: number;
  /** `next` of the page before, of the same search. */
  readonly after?: string;
}

/** Where records of one integration can be found. */
export interface SearchPlace {
  readonly integration: string;
  readonly namespace: string;
  readonly streams: readonly string[];
}

/** A piece of a field's text. */
export interface HighlightPart {
  readonly text: string;
  /** It is what was looked for. */
  readonly match: boolean;
}

/** Where a field holds what was looked for. */
export interface Highlight {
  readonly field: string;
  /** In their order; to be shown one after another. */
  readonly parts: readonly HighlightPart[];
}

/** A record that was found. */
export interface SearchHit {
  readonly integration: string;
  readonly stream: string;
  /** The columns that identify it; empty where the stream has no key. */
  readonly key: { readonly [column: string]: Json };
  /** `words`: it holds the words; `similar`: only parts of them, or words like them. */
  readonly match: 'words' | 'similar';
  /** The higher, the better: above 1 with the words themselves, below with similar ones. */
  readonly score: number;
  readonly highlights: readonly Highlight[];
  /** The searched fields; long texts are cut. */
  readonly record: { readonly [field: string]: Json };
}

/** One page of what was found, the best first. */
export interface SearchResult {
  readonly hits: readonly SearchHit[];
  /** `after` of the next page; absent on the last one. */
  readonly next?: string;
  /** What was not looked at, and why. */
  readonly warnings: readonly string[];
}

/** Finds records in a destination, whatever integration they are of. Every method throws only `Fault`. */
export interface SearchReader {
  /** @throws Fault `config`/`invalid_search`; `transient`/`search_timeout` */
  search(request: SearchRequest, places: readonly SearchPlace[], signal: AbortSignal): Promise<SearchResult>;
  close(): Promise<void>;
}
