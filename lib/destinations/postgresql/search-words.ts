import { Fault } from '../../core/fault';
import { LONGEST_SEARCH } from '../../core/search';

/** What was typed, taken apart for the server. */
export interface SearchWords {
  /** As it is, for `websearch_to_tsquery`. */
  readonly text: string;
  /** The last word, where it may be the beginning of one, and what stands before it. */
  readonly beginning?: { readonly before: string; readonly word: string; readonly either: boolean };
  /** Words that must not be in the record, as a text for `websearch_to_tsquery` that finds any of them. */
  readonly without: string;
  /** Words to be found by parts; the server finds no part that is shorter than three characters. */
  readonly parts: readonly string[];
  /** One of `parts` is enough. */
  readonly either: boolean;
}

const SHORTEST_PART = 3;
const MOST_PARTS = 8;
const TOKENS = /(-?)(?:"([^"]*)"?|(\S+))/gu;
const WORDS = /[\p{L}\p{N}\p{M}]+/gu;
const CONTROLS = /[\p{Cc}\p{Cs}]+/gu;

/** @throws Fault `config`/`invalid_search` when there is nothing to look for, or too much */
export function searchWords(typed: string): SearchWords {
  const text = typed.normalize('NFC').replace(CONTROLS, ' ').trim();
  if (text === '') throw invalidSearch('there is nothing to look for', 'Give at least one word.');
  if (text.length > LONGEST_SEARCH) {
    throw invalidSearch(`the text is longer than ${LONGEST_SEARCH} characters`, 'Look for fewer words.');
  }
  const wanted: string[] = [];
  const unwanted: string[] = [];
  let either = false;
  for (const [, minus, phrase, word] of text.matchAll(TOKENS)) {
    if (minus === '' && word?.toLowerCase() === 'or') either = true;
    else (minus === '-' ? unwanted : wanted).push(...((phrase ?? word ?? '').match(WORDS) ?? []));
  }
  const long = wanted.filter((word) => [...word].length >= SHORTEST_PART);
  const beginning = beginningOf(text);
  return {
    text,
    ...(beginning && { beginning }),
    without: unwanted.join(' or '),
    parts: [...new Map(long.map((word) => [word.toLowerCase(), word])).values()].slice(0, MOST_PARTS),
    either,
  };
}

/** The last word, unless it is in quotes, excluded or part of something that is no plain word. */
function beginningOf(text: string): SearchWords['beginning'] {
  const [, before = '', word = ''] = /^(?:(.*)\s)?([\p{L}\p{N}\p{M}]+)$/su.exec(text) ?? [];
  const isQuoted = (before.split('"').length - 1) % 2 === 1;
  if (word === '' || isQuoted || word.toLowerCase() === 'or') return undefined;
  return { before, word, either: /(?:^|\s)or\s*$/i.test(before) };
}

/** The fault of a search that cannot be made. */
export function invalidSearch(problem: string, hint: string): Fault {
  return new Fault('config', 'invalid_search', `searching: ${problem}`, { hint });
}

/** A pattern for ILIKE that finds a word anywhere. */
export function anywhere(word: string): string {
  return `%${word.replaceAll(/[\\%_]/g, '\\$&')}%`;
}
