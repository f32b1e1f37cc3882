const numbers = new Intl.NumberFormat('en-US');
const rates = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

/** `1234567` as `1,234,567`. */
export function count(value: number): string {
  return numbers.format(value);
}

/** `count` and the right form of the noun. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A number with the digits that a rate can stand for. */
export function rate(value: number): string {
  return rates.format(value);
}

/** A share from 0 to 1: `0.0512` as `5.12 %`. */
export function percent(share: number): string {
  return `${rates.format(share * 100)} %`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in the largest unit that leaves a number above 1. */
export function bytes(value: number): string {
  const power = Math.min(BYTE_UNITS.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
  return `${rates.format(value / 1000 ** power)} ${BYTE_UNITS[power]}`;
}

/** Seconds as people say them: `0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** An ISO time without its fraction: `2026-11-24 20:01:02Z`. */
export function time(iso: string | undefined): string {
  return iso === undefined ? '-' : iso.replace('T', ' ').replace(/\.\d+/, '');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

const ESCAPES: { readonly [character: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text from elsewhere, made harmless for a terminal: control characters are shown as escapes. */
export function plain(text: string): string {
  return text.replace(CONTROL, (character) => {
    return ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** At most `length` characters, the last of them an ellipsis when something was left out. */
export function shorten(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}
