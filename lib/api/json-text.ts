/** Where a text stops being JSON. Lines and columns count from 1. */
export interface JsonMistake {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

const TOKEN = /[\t\n\r ]+|[{}[\],:]|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

type Expecting = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or ]' | ', or }' | 'end';

/**
 * Finds the first place at which `text` stops being JSON, `undefined` when it is JSON. `JSON.parse` says it only in
 * a message that repeats parts of the text, and the text may hold secrets.
 */
export function jsonMistake(text: string): JsonMistake | undefined {
  const open: ('[' | '{')[] = [];
  let expecting: Expecting = 'value';
  let offset = 0;
  while (offset < text.length) {
    const token = text[offset] === '"' ? stringAt(text, offset) : matchAt(TOKEN, text, offset);
    if (token === undefined) return mistakeAt(text, offset, 'unexpected character, or a string that does not end');
    if (!/^\s/.test(token)) {
      const next: Expecting | undefined = step(token, expecting, open);
      if (next === undefined) return mistakeAt(text, offset, `expected ${expecting}`);
      expecting = next;
    }
    offset += token.length;
  }
  return expecting === 'end' ? undefined : mistakeAt(text, offset, `the text ends where ${expecting} is expected`);
}

function matchAt(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}

function stringAt(text: string, start: number): string | undefined {
  let offset = start + 1;
  while (offset < text.length && text[offset] !== '"') {
    const length =
      text[offset] === '\\' ? matchAt(ESCAPE, text, offset)?.length : Number(text.charCodeAt(offset) >= 0x20);
    if (!length) return undefined;
    offset += length;
  }
  return offset < text.length ? text.slice(start, offset + 1) : undefined;
}

function step(token: string, expecting: Expecting, open: ('[' | '{')[]): Expecting | undefined {
  if (token === '{' || token === '[') return opened(token, expecting, open);
  if (token === '}' || token === ']') return closed(token, expecting, open);
  if (token === ':') return expecting === ':' ? 'value' : undefined;
  if (token === ',') return expecting === ', or }' ? 'name' : expecting === ', or ]' ? 'value' : undefined;
  if (expecting === 'name' || expecting === 'name or }') return token.startsWith('"') ? ':' : undefined;
  return expecting.startsWith('value') ? afterValue(open) : undefined;
}

function opened(token: '{' | '[', expecting: Expecting, open: ('[' | '{')[]): Expecting | undefined {
  if (!expecting.startsWith('value')) return undefined;
  open.push(token);
  return token === '{' ? 'name or }' : 'value or ]';
}

function closed(token: '}' | ']', expecting: Expecting, open: ('[' | '{')[]): Expecting | undefined {
  if (!expecting.endsWith(`or ${token}`)) return undefined;
  open.pop();
  return afterValue(open);
}

function afterValue(open: readonly ('[' | '{')[]): Expecting {
  const around = open.at(-1);
  if (around === undefined) return 'end';
  return around === '{' ? ', or }' : ', or ]';
}

function mistakeAt(text: string, offset: number, reason: string): JsonMistake {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, reason };
}

/** How deep arrays and objects are nested in a JSON text, without recursion. */
export function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let offset = 0; offset < text.length; offset++) {
    const character = text[offset];
    if (inString) {
      if (character === '\\') offset++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']') depth--;
  }
  return deepest;
}
