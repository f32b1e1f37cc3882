const SHORTEST_LINE = 16;
const SHORTEST_ENCODED = 6;

/** The texts as which a secret may surface: itself, its encodings, and the lines of one that has several. */
export function secretForms(value: string): readonly string[] {
  const plain = [value, value.replaceAll(/\r?\n/g, '\r\n'), value.replaceAll('\r\n', '\n'), ...linesOf(value)];
  return [...new Set(plain)].flatMap((text) => [...textForms(text), ...encodedForms(text)]);
}

/** A server or parser may show one line of a key alone. Its first and last are the same in every key. */
function linesOf(value: string): readonly string[] {
  const lines = value.split(/\r?\n/);
  if (lines.length === 1) return [value.trim()].filter((line) => line.length >= SHORTEST_ENCODED);
  return lines.map((line) => line.trim()).filter((line) => line.length >= SHORTEST_LINE && !line.startsWith('-----'));
}

function textForms(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const url = urlEncoded(text);
  return [
    text,
    json,
    JSON.stringify(json).slice(1, -1),
    ...[url, url.replaceAll('%20', '+'), strictlyEncoded(url)].flatMap((form) => [form, lowerHex(form)]),
    // As a browser's URL writes what need not be encoded in a user's name or password.
    userInformation(text),
    text.replaceAll("'", "''"),
    text.replaceAll('\\', '\\\\').replaceAll("'", "\\'"),
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  ];
}

/** `encodeURIComponent`, which throws at half a character. */
function urlEncoded(text: string): string {
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}

function strictlyEncoded(url: string): string {
  return url.replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function lowerHex(url: string): string {
  return url.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}

function userInformation(text: string): string {
  const url = new URL('http://host');
  url.password = text;
  return url.password;
}

/** What is certain of the value within base64 of a longer text, wherever in it the value begins; and its hexadecimal form. */
function encodedForms(text: string): readonly string[] {
  const bytes = Buffer.from(text, 'utf8');
  const aligned = [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const begin = Math.ceil((offset * 8) / 6);
    const end = Math.floor(((offset + bytes.length) * 8) / 6);
    const certain = encoded.slice(begin, end);
    return [certain, certain.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const hex = bytes.toString('hex');
  return [...aligned, hex, hex.toUpperCase()].filter((form) => form.length >= SHORTEST_ENCODED);
}
