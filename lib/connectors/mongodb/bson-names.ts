/** The name of a field, and the same as JSON. */
export interface Name {
  readonly text: string;
  readonly json: string;
}

interface Known extends Name {
  readonly bytes: Buffer;
}

// The same few names stand in every document: comparing bytes costs a fraction of decoding them.
const PLACES = 1024;
const LONGEST = 64;
const known: (Known | undefined)[] = new Array(PLACES).fill(undefined);

/** The name that lies between `start` and `end`. */
export function nameAt(bytes: Buffer, start: number, end: number): Name {
  const length = end - start;
  if (length > LONGEST) return nameOf(bytes.toString('utf8', start, end));
  let hash = length;
  for (let at = start; at < end; at++) hash = (hash * 31 + (bytes[at] ?? 0)) | 0;
  const place = hash & (PLACES - 1);
  const found = known[place];
  if (found && isEqual(found.bytes, bytes, start, length)) return found;
  const name = { ...nameOf(bytes.toString('utf8', start, end)), bytes: Buffer.from(bytes.subarray(start, end)) };
  known[place] = name;
  return name;
}

function nameOf(text: string): Name {
  return { text, json: JSON.stringify(text) };
}

function isEqual(own: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (own.length !== length) return false;
  for (let at = 0; at < length; at++) if (own[at] !== bytes[start + at]) return false;
  return true;
}
