import type { HighlightPart } from '../../core/search';

/** How much of a word's parts another must share to be marked as similar to it. */
export const LEAST_SIMILARITY = 0.4;
const CHARACTERS_BEFORE = 60;
const CHARACTERS_SHOWN = 240;
const WORDS = /[\p{L}\p{N}\p{M}]+/gu;

/** Takes apart a text in which matches stand between marks; `undefined` when there are none. */
export function markedParts(text: string, start: string, stop: string): readonly HighlightPart[] | undefined {
  if (!text.includes(start)) return undefined;
  const parts = text.split(start).flatMap((piece, place): HighlightPart[] => {
    if (place === 0) return [{ text: piece, match: false }];
    const end = piece.indexOf(stop);
    return [
      { text: piece.slice(0, end), match: true },
      { text: piece.slice(end + stop.length), match: false },
    ];
  });
  return parts.filter((part) => part.text !== '');
}

/** Marks what holds one of the words or is like it, around the first such place; `undefined` when there is none. */
export function similarParts(text: string, words: readonly string[]): readonly HighlightPart[] | undefined {
  const sought = words.map((word) => word.toLowerCase());
  const matches = [...text.matchAll(WORDS)].filter(([word]) => isLike(word.toLowerCase(), sought));
  const first = matches[0];
  if (first === undefined) return undefined;
  const start = startOf(text, first.index);
  const end = endOf(text, Math.max(start + CHARACTERS_SHOWN, first.index + first[0].length));
  const parts: HighlightPart[] = [];
  let at = start;
  for (const match of matches) {
    const after = match.index + match[0].length;
    if (after > end) break;
    parts.push({ text: text.slice(at, match.index), match: false }, { text: match[0], match: true });
    at = after;
  }
  parts.push({ text: text.slice(at, end), match: false });
  const whole = [
    start > 0 && { text: '… ', match: false },
    ...parts,
    end < text.length && { text: ' …', match: false },
  ];
  return whole.filter((part): part is HighlightPart => part !== false && part.text !== '');
}

function isLike(word: string, sought: readonly string[]): boolean {
  return sought.some((one) => word.includes(one) || similarity(one, word) >= LEAST_SIMILARITY);
}

/** The share of a word's groups of three characters that another has too, as pg_trgm's `word_similarity` counts it. */
function similarity(word: string, other: string): number {
  const wanted = trigrams(word);
  const given = trigrams(other);
  return [...wanted].filter((group) => given.has(group)).length / wanted.size;
}

function trigrams(word: string): Set<string> {
  const padded = [...`  ${word} `];
  return new Set(padded.slice(2).map((last, place) => `${padded[place]}${padded[place + 1]}${last}`));
}

/** A little before the match, at the beginning of a word. */
function startOf(text: string, match: number): number {
  if (match <= CHARACTERS_BEFORE) return 0;
  const space = text.slice(match - CHARACTERS_BEFORE, match).search(/\s/);
  return space < 0 ? match : match - CHARACTERS_BEFORE + space + 1;
}

/** Not within a character of two halves. */
function endOf(text: string, end: number): number {
  return /[\uD800-\uDBFF]/.test(text[end - 1] ?? '') ? end + 1 : Math.min(end, text.length);
}
