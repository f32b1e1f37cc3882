import { bound, type Fragment, sql } from '../shared/sql/fragment';

/**
 * Keys that are no numbers, so that nobody can reckon what lies between two of them. Guesses are made here, and the server
 * says which keys come next: only how even the ranges are depends on them.
 */
export interface KeySpace {
  /** The SQL that gives the text of a key, in the form of a position. */
  text(key: string): string;
  /** About `count` keys, or twice as many, that may lie after `first` and up to `last`; there need be no such rows. */
  guesses(first: string, last: string, count: number): readonly string[];
  /** A guess in SQL, as the type and collation of the column. */
  bind(guess: string): Fragment;
}

/** A key as what it is compared by, one after the other. */
interface Symbols {
  split(key: string): readonly number[];
  join(symbols: readonly number[]): string;
  /** What is likely to be sorted as the same, or next to it. */
  fold(symbol: number): number;
}

const itself = (symbol: number) => symbol;
const bytesOf = (hex: string) => [...Buffer.from(hex, 'hex')];
const hexOf = (bytes: readonly number[]) => Buffer.from(bytes).toString('hex');

/** Of `binary` and `varbinary`. */
export const BYTES: KeySpace = {
  text: (key) => `lower(hex(${key}))`,
  guesses: (first, last, count) => between({ split: bytesOf, join: hexOf, fold: itself }, first, last, count),
  bind: (guess) => bound(Buffer.from(guess, 'hex')),
};

/** Of texts. */
export function textKeys({ characterSet, collation }: { characterSet: string; collation: string }): KeySpace {
  const symbols: Symbols = {
    split: (key) => Array.from(key, (character) => character.codePointAt(0) ?? 0),
    join: (codes) => String.fromCodePoint(...codes),
    fold: /(^|_)bin(ary)?$/.test(collation) ? itself : letter,
  };
  return {
    text: (key) => key,
    guesses: (first, last, count) => between(symbols, first, last, count),
    // What the character set has not is an error otherwise.
    bind: (guess) => sql`convert(${bound(guess)} using ${characterSet}) collate ${collation}`,
  };
}

// Without its case and accents.
function letter(code: number): number {
  return String.fromCodePoint(code).normalize('NFD').toLowerCase().codePointAt(0) ?? code;
}

const UUID_BYTES = Array.from({ length: 16 }, (_, index) => index);
// MariaDB sorts versions 1 to 5 by their last group first: https://mariadb.com/kb/en/uuid-data-type/
const LAST_GROUP_FIRST = [...UUID_BYTES.slice(10), 8, 9, 6, 7, 4, 5, 0, 1, 2, 3];
const VERSION_BYTE = 6;
const VARIANT_BYTE = 8;
const FIRST_SORTED_AS_WRITTEN = 0x60;

/** Of MariaDB's `uuid`. */
export const UUIDS: KeySpace = {
  text: (key) => key,
  guesses: (first, last, count) => between(uuidsLike(first), first, last, count),
  bind: bound,
};

function uuidsLike(uuid: string): Symbols {
  const bytes = (text: string) => bytesOf(text.replaceAll('-', ''));
  const { [VERSION_BYTE]: version = 0, [VARIANT_BYTE]: variant = 0 } = bytes(uuid);
  const places = version < FIRST_SORTED_AS_WRITTEN ? LAST_GROUP_FIRST : UUID_BYTES;
  return {
    split(text) {
      const all = bytes(text);
      return places.map((place) => all[place] ?? 0);
    },
    join(symbols) {
      // The version decides how it is sorted.
      const all = UUID_BYTES.map((place) => {
        const given = symbols[places.indexOf(place)];
        return given ?? (place === VERSION_BYTE ? version & 0xf0 : place === VARIANT_BYTE ? variant & 0xc0 : 0);
      });
      return hexOf(all).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
    fold: itself,
  };
}

// What both begin with, and then one more symbol.
function between({ split, join, fold }: Symbols, first: string, last: string, count: number): string[] {
  const [left, right] = [split(first), split(last)];
  const at = Array.from({ length: Math.max(left.length, right.length) }, (_, index) => index).find(
    (index) => fold(left[index] ?? 0) !== fold(right[index] ?? 0),
  );
  if (at === undefined) return [];
  const [one = 0, other = 0] = [left[at], right[at]];
  // By case and without: nobody here knows the order of the collation.
  const next = new Set([...steps(one, other, count), ...steps(fold(one), fold(other), count)]);
  return [...next].map((symbol) => join([...left.slice(0, at), symbol]));
}

function steps(one: number, other: number, count: number): number[] {
  const [least, largest] = [Math.min(one, other), Math.max(one, other)];
  const stride = Math.max(1, Math.ceil((largest - least) / count));
  const all = Array.from({ length: Math.floor((largest - least) / stride) + 1 }, (_, index) => least + index * stride);
  return [...all, largest].filter(isCharacter);
}

function isCharacter(code: number): boolean {
  return code < 0xd800 || code > 0xdfff;
}
