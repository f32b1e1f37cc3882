import { types } from 'node:util';
import type { Json } from './json';
import type { Redactor } from './secret';

const DEEPEST = 8;

/**
 * `value` as plain JSON without secrets. Each text is redacted before it is encoded, so that a secret made of digits
 * cannot break the line around it. Errors become their message and code: their other fields may hold rows.
 */
export function redacted(value: unknown, redactor: Redactor, depth = 0): Json | undefined {
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return redactor.redact(value);
  if (typeof value !== 'object') return redactedNumber(value as number | bigint, redactor);
  if (depth >= DEEPEST) return '[deeper]';
  if (types.isNativeError(value)) return redactedError(value, redactor, depth);
  if (Array.isArray(value)) return value.map((element) => redacted(element, redactor, depth + 1) ?? null);
  if ('toJSON' in value && typeof value.toJSON === 'function') return redacted(value.toJSON(), redactor, depth + 1);
  return redactedObject(value, redactor, depth);
}

function redactedObject(value: object, redactor: Redactor, depth: number): { [name: string]: Json } {
  const result: { [name: string]: Json } = {};
  for (const [name, field] of Object.entries(value)) {
    const json = redacted(field, redactor, depth + 1);
    if (json !== undefined) result[redactor.redact(name)] = json;
  }
  return result;
}

function redactedNumber(value: number | bigint, redactor: Redactor): Json {
  const text = String(value);
  const shown = redactor.redact(text);
  return shown === text && Number.isFinite(value) ? (value as number) : shown;
}

function redactedError(error: Error, redactor: Redactor, depth: number): { [name: string]: Json } {
  const code = 'code' in error ? error.code : undefined;
  return redactedObject({ message: error.message, code }, redactor, depth);
}
