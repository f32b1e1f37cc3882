import type { Context } from 'hono';
import type * as z from 'zod';
import { invalidConfig, parseConfig } from '../core/config';
import type { IntegrationDocument } from '../core/integration';
import type { Json } from '../core/json';
import { jsonMistake, nestingDepth } from './json-text';
import { refusal } from './problem';

const DEEPEST = 64;
const JSON_TYPE = 'application/json';

/** Refuses every body that is not declared as JSON: what a form of another site can send is not. */
export function requireJson(c: Context, mediaTypes: readonly string[] = [JSON_TYPE]): void {
  const [mediaType, ...parameters] = (c.req.header('content-type') ?? '').toLowerCase().split(';');
  const charset = parameters.map((text) => text.trim()).find((text) => text.startsWith('charset='));
  const utf8 = charset === undefined || /^charset="?utf-8"?$/.test(charset);
  if (mediaTypes.includes((mediaType ?? '').trim()) && utf8) return;
  throw refusal(c, 'unsupported_media_type', `reading the body: its Content-Type is not ${mediaTypes.join(' or ')}`, {
    hint: `Send JSON in UTF-8 with the header "Content-Type: ${mediaTypes[0]}".`,
  });
}

/** The JSON in the body; `undefined` when there is no body. */
export async function readJson(c: Context, mediaTypes?: readonly string[]): Promise<Json | undefined> {
  const bytes = await c.req.arrayBuffer();
  if (bytes.byteLength === 0 && c.req.header('content-type') === undefined) return undefined;
  requireJson(c, mediaTypes);
  if (bytes.byteLength === 0) return undefined;
  const text = decode(c, bytes);
  if (nestingDepth(text) > DEEPEST) throw malformed(c, `it is nested deeper than ${DEEPEST} levels`);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const mistake = jsonMistake(text);
    if (mistake === undefined) throw error;
    throw malformed(c, `line ${mistake.line}, column ${mistake.column}: ${mistake.reason}`);
  }
}

function decode(c: Context, bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw malformed(c, 'it is not UTF-8');
    throw error;
  }
}

function malformed(c: Context, reason: string) {
  return refusal(c, 'malformed_json', `reading the body: ${reason}`, { hint: 'Send one JSON value in UTF-8.' });
}

/** The object in the body. */
export async function readDocument(c: Context, mediaTypes?: readonly string[]): Promise<IntegrationDocument> {
  const body = await readJson(c, mediaTypes);
  if (body === undefined) throw malformed(c, 'it is empty');
  if (isObject(body)) return body;
  throw invalidConfig([{ path: '', message: 'expected an object' }]);
}

/** The body parsed by `schema`; an absent body counts as `{}`. */
export async function readBody<S extends z.ZodObject>(c: Context, schema: S): Promise<z.output<S>> {
  return parseConfig(schema, (await readJson(c)) ?? {});
}

/** Whether `value` is a JSON object. */
export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
