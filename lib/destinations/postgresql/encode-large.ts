import type { Row, Value } from '../../core/batch';
import type { ColumnType } from '../../core/schema';
import {
  emptyProblem,
  hex,
  holdsNul,
  holdsUnpaired,
  isLeftOut,
  LARGE_CELL,
  NUL_IN_JSON,
  type RowProblem,
  simpleText,
  whyNot,
} from './cells';
import type { Shape } from './shape';

/** PostgreSQL holds less than 1 GiB in one field, and in one line of COPY. */
const LARGEST_LINE_BYTES = 1_000_000_000;
/** Half of it for bytes, which travel as two digits each. */
const LARGEST_BYTES = 499_000_000;

const ESCAPED = /[\\\n\r\t]/g;
const ESCAPES: { readonly [character: string]: string } = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** Parts that must not be escaped are told by identity: they are bytes. */
const TAB: Uint8Array = Buffer.from('\t');
const NULL: Uint8Array = Buffer.from('\\N');

/** The pieces of a line with large cells, but for its end, or why there is none. It is checked before the first of them. */
export function largeLine(shape: Shape, row: Row, op: number): Iterable<Uint8Array> | RowProblem {
  const parts: (string | Uint8Array)[] = [];
  let bytes = 0;
  for (const [place, { source, type }] of shape.columns.entries()) {
    const value = row[place] ?? null;
    const key = shape.key.includes(place);
    if (place > 0) parts.push(TAB);
    const leftOut = isLeftOut(value, op, key);
    const reason = leftOut ? emptyProblem(value, op, key) : largeProblem(value, source.type, type);
    if (reason !== undefined) return { field: source.name, reason };
    const part = leftOut ? NULL : partOf(value);
    bytes += sizeOf(part);
    if (bytes > LARGEST_LINE_BYTES) {
      return { field: source.name, reason: 'the record is larger than the 1 GB that PostgreSQL takes' };
    }
    parts.push(part);
  }
  return pieces(parts);
}

function largeProblem(value: Value, type: ColumnType, stored: string): string | undefined {
  if (value instanceof Uint8Array) {
    if (type !== 'bytes') return whyNot(value, type);
    return value.length > LARGEST_BYTES ? 'the value is larger than PostgreSQL can take' : undefined;
  }
  if (typeof value !== 'string') return simpleText(value, type) === undefined ? whyNot(value, type) : undefined;
  if (type === 'bool' || type === 'bytes' || value.includes('\0') || holdsUnpaired(value)) return whyNot(value, type);
  return stored === 'jsonb' && holdsNul(value) ? NUL_IN_JSON : undefined;
}

function partOf(value: Value): string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array ? value : String(simpleText(value, 'float64'));
}

function sizeOf(part: string | Uint8Array): number {
  return typeof part === 'string' ? Buffer.byteLength(part) : part.length * 2;
}

function* pieces(parts: readonly (string | Uint8Array)[]): Generator<Uint8Array, void, undefined> {
  for (const part of parts) {
    if (part === TAB || part === NULL) yield part as Uint8Array;
    else yield* typeof part === 'string' ? textPieces(part) : bytesPieces(part);
  }
}

function* textPieces(text: string): Generator<Uint8Array, void, undefined> {
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = Math.min(start + LARGE_CELL, text.length);
    const code = text.charCodeAt(end - 1);
    if (code >= 0xd800 && code < 0xdc00) end++;
    yield Buffer.from(
      text.slice(start, end).replace(ESCAPED, (character) => ESCAPES[character] ?? character),
      'utf8',
    );
  }
}

function* bytesPieces(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  yield Buffer.from('\\\\x');
  for (let start = 0; start < bytes.length; start += LARGE_CELL) {
    yield Buffer.from(hex(bytes.subarray(start, start + LARGE_CELL)), 'latin1');
  }
}
