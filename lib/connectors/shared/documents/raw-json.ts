const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = /[{[]/;

/** The members of an object of JSON as they are written, so that numbers keep all their digits. */
export function jsonMembers(text: string): (readonly [name: string, raw: string])[] {
  const members: (readonly [string, string])[] = [];
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const nameEnd = stringEnd(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = valueEnd(text, start);
    members.push([name, text.slice(start, end)]);
    at = skipSpace(text, end);
    if (text[at] !== ',') break;
    at = skipSpace(text, at + 1);
  }
  return members;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at++;
  return at;
}

function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at > 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return text.length;
}

function valueEnd(text: string, start: number): number {
  const first = text[start] ?? '';
  if (first === '"') return stringEnd(text, start);
  if (OPENING.test(first)) return nestedEnd(text, start);
  let at = start;
  while (at < text.length && !',}] \t\r\n'.includes(text[at] ?? '')) at++;
  return at;
}

function nestedEnd(text: string, start: number): number {
  for (let at = start, depth = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"') at = stringEnd(text, at) - 1;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}
