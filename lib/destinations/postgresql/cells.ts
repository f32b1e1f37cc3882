import { Op, UNCHANGED, type Value } from '../../core/batch';
import type { ColumnType } from '../../core/schema';

/** Why a row cannot be stored, and by which of its cells. */
export interface RowProblem {
  readonly field?: string;
  readonly reason: string;
}

/** Cells above this are sent in pieces: with their escapes they could outgrow what a string or a buffer can hold. */
export const LARGE_CELL = 64 * 1024;

export const NUL_IN_JSON = 'the JSON holds the character U+0000, which PostgreSQL cannot store';

export const EMPTY_KEY = 'a field of the key is empty';

const UNPAIRED = /[\ud800-\udfff]/u;
const JSON_NUL = /(?:^|[^\\])(?:\\\\)*\\u0000/;

/** A delete needs only its key; other cells of it may be anything. */
export function isLeftOut(value: Value, op: number, isKey: boolean): boolean {
  return value === null || value === UNCHANGED || (op === Op.Delete && !isKey);
}

/** Why a cell that is left out must not be. */
export function emptyProblem(value: Value, op: number, isKey: boolean): string | undefined {
  if (isKey) return EMPTY_KEY;
  if (value !== UNCHANGED || op !== Op.Insert) return undefined;
  return 'a new record leaves this field out, so there is nothing to keep';
}

/** Whether a cell is sent in pieces. */
export function isLarge(value: Value): boolean {
  return (typeof value === 'string' || value instanceof Uint8Array) && value.length > LARGE_CELL;
}

/** Whether jsonb refuses a JSON text for an escaped U+0000. */
export function holdsNul(json: string): boolean {
  return json.includes('\\u0000') && JSON_NUL.test(json);
}

/** Whether a text holds half of a surrogate pair. */
export function holdsUnpaired(text: string): boolean {
  return UNPAIRED.test(text);
}

/** Why a value has no text form that its column takes. */
export function whyNot(value: Value, type: ColumnType): string {
  if (typeof value !== 'string') return `a ${typeof value} is no value of type ${type}`;
  if (value.includes('\0')) return 'the text holds the character U+0000, which PostgreSQL cannot store';
  if (holdsUnpaired(value)) return 'the text holds half of a surrogate pair, which is no character';
  return `a text is no value of type ${type}`;
}

/** What COPY takes for a value that is no text; `undefined` when there is nothing. */
export function simpleText(value: Exclude<Value, string>, type: ColumnType): string | undefined {
  switch (typeof value) {
    case 'number':
      if (Object.is(value, -0)) return '-0';
      return type === 'int32' && !Number.isInteger(value) ? undefined : String(value);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return value instanceof Uint8Array ? `\\\\x${hex(value)}` : undefined;
  }
}

/** Two digits for each byte. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
