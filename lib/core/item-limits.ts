import { Fault } from './fault';
import type { Json } from './json';
import type { StateKey } from './ports';

/** Largest item in bytes of JSON; DynamoDB, the other home's store, ends at 400 KB with everything around it. */
export const LARGEST_ITEM = 300 * 1024;
/** Largest message body in bytes of JSON, as SQS has it. */
export const LARGEST_MESSAGE = 256 * 1024;
// DynamoDB's limit of a sort key.
const LONGEST_KEY = 1024;

/** `value` as JSON text. @throws Fault `bug`/`too_large` */
export function encodeJson(value: Json, largest: number, doing: string): string {
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes <= largest) return text;
  throw new Fault('bug', 'too_large', `${doing}: ${bytes} bytes of JSON, at most ${largest} are allowed`, {
    hint: 'State must not grow with the data: split it into several items.',
  });
}

/** @throws Fault `bug`/`invalid_key` for what one of the homes could not store: empty, too long, NUL, half a character */
export function checkKeyPart(part: string, doing: string): void {
  const problem = keyProblem(part);
  if (problem !== undefined) throw new Fault('bug', 'invalid_key', `${doing}: the key ${problem}`);
}

/** Both parts of a key, as {@link checkKeyPart}. */
export function checkKey({ partition, sort }: StateKey, doing: string): void {
  checkKeyPart(partition, doing);
  checkKeyPart(sort, doing);
}

function keyProblem(part: string): string | undefined {
  if (part === '') return 'is empty';
  if (Buffer.byteLength(part) > LONGEST_KEY) return `is longer than ${LONGEST_KEY} bytes`;
  if (part.includes('\0')) return 'holds a NUL character';
  return /\p{Surrogate}/u.test(part) ? 'holds half a surrogate pair' : undefined;
}
