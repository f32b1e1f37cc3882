import { Fault } from '../core/fault';
import type { Json } from '../core/json';
import { Secret } from '../core/secret';

// Keys below these are data of the owner (a document, a record, a JSON Schema), not names of ours.
const VERBATIM: ReadonlySet<string> = new Set(['document', 'record', 'schema', 'key']);

/** A value of the core as the API shows it: keys in snake_case, a fault as its record, a secret hidden. */
export function toWire(value: unknown): Json {
  return convert(value, true);
}

function convert(value: unknown, rename: boolean): Json {
  if (value instanceof Fault) return convert(value.record(), rename);
  if (value instanceof Secret) return value.toJSON();
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map((item) => convert(item, rename));
  if (typeof value === 'object' && value !== null) return convertObject(value, rename);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}

function convertObject(value: object, rename: boolean): Json {
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => [rename ? snakeCase(key) : key, convert(item, rename && !VERBATIM.has(key))] as const);
  return Object.fromEntries(entries);
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
