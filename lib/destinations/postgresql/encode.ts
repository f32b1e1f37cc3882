import { Op, type Row, UNCHANGED, type Value } from '../../core/batch';
import type { ColumnType } from '../../core/schema';
import type { Shape } from './shape';

/** Text is turned into bytes in pieces of this many characters. */
const CHUNK_CHARACTERS = 64 * 1024;
/** PostgreSQL holds less than 1 GiB in one field, and in one line of COPY. */
const LARGEST_LINE_BYTES = 1_000_000_000;
/** Half of it for bytes, which travel as two digits each. */
const LARGEST_BYTES = 499_000_000;
/** Cells above this do not join the text of their line: it could outgrow what a string can hold. */
const LARGE_CELL = 64 * 1024;

const SPECIAL = /[\\\n\r\t\0\ud800-\udfff]/;
const UNPAIRED = /[\ud800-\udfff]/u;
const ESCAPED = /[\\\n\r\t]/g;
const JSON_NUL = /(?:^|[^\\])(?:\\\\)*\\u0000/;
const ESCAPES: { readonly [character: string]: string } = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Why a row cannot be stored, and by which of its cells. */
export interface Refusal {
  readonly index: number;
  readonly field?: string;
  readonly reason: string;
}

/** What to encode. */
export interface EncodeRequest {
  readonly shape: Shape;
  readonly rows: readonly Row[];
  readonly ops: Uint8Array | undefined;
  /** Lines begin with the number of the row, its operation and the list of its unchanged cells. */
  readonly staged: boolean;
  /** Told of each row that is left out. */
  refuse(refusal: Refusal): void;
}

/**
 * Rows as the text form of COPY. A row is checked and built in one pass, whole rows are joined to large pieces, and a
 * row that cannot be stored is reported and leaves no trace.
 */
export function* encodeRows({
  shape,
  rows,
  ops,
  staged,
  refuse,
}: EncodeRequest): Generator<Uint8Array, void, undefined> {
  const encodeLine = lineEncoder(shape);
  let text = '';
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] ?? [];
    const op = ops?.[index] ?? Op.Insert;
    const prefix = staged ? `${index}\t${op}\t${unchangedList(row, op)}\t` : '';
    const line = encodeLine(row, op);
    if (typeof line === 'string') {
      text += `${prefix}${line}\n`;
    } else if (isRefused(line)) {
      refuse({ index, ...line });
    } else {
      yield Buffer.from(text + prefix, 'utf8');
      for (const cell of line) yield* largeCell(cell);
      text = '\n';
    }
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  if (text !== '') yield Buffer.from(text, 'utf8');
}

interface CellRefusal {
  readonly field?: string;
  readonly reason: string;
}

/** A line, or the parts of a line with large cells, or why there is none. */
type Encoded = string | readonly (string | Uint8Array)[] | CellRefusal;

function isRefused(encoded: Encoded): encoded is CellRefusal {
  return typeof encoded !== 'string' && 'reason' in encoded;
}

function lineEncoder(shape: Shape): (row: Row, op: number) => Encoded {
  const width = shape.columns.length;
  const plans = shape.columns.map(
    ({ source, type }, place): CellPlan => ({
      type: source.type,
      binaryJson: type === 'jsonb',
      isKey: shape.key.includes(place),
    }),
  );
  const refuse = (place: number, reason: string): CellRefusal => {
    const field = shape.columns[place]?.source.name;
    return field === undefined ? { reason } : { field, reason };
  };
  return (row, op) => {
    let line = '';
    if (row.length !== width) return { reason: `the record has ${row.length} fields where ${width} belong` };
    for (let place = 0; place < width; place++) {
      const value = row[place];
      const plan = plans[place];
      if (plan === undefined || value === undefined)
        return refuse(place, 'the field has no value, not even an empty one');
      if (place > 0) line += '\t';
      const cell = cellText(value, op, plan);
      if (cell === undefined) {
        return isLarge(value) ? largeLine(shape, row, op, refuse) : refuse(place, problemOf(value, op, plan));
      }
      line += cell;
    }
    return line;
  };
}

interface CellPlan {
  readonly type: ColumnType;
  readonly binaryJson: boolean;
  readonly isKey: boolean;
}

function cellText(value: Value, op: number, plan: CellPlan): string | undefined {
  return isLeftOut(value, op, plan.isKey) ? emptyCell(value, op, plan) : filledCell(value, plan);
}

function emptyCell(value: Value, op: number, { isKey }: CellPlan): string | undefined {
  return emptyProblem(value, op, isKey) === undefined ? '\\N' : undefined;
}

function filledCell(value: Value, { type, binaryJson }: CellPlan): string | undefined {
  if (isLarge(value) || (binaryJson && typeof value === 'string' && holdsNul(value))) return undefined;
  return encodeCell(value, type);
}

function problemOf(value: Value, op: number, plan: CellPlan): string {
  if (isLeftOut(value, op, plan.isKey)) return emptyProblem(value, op, plan.isKey) ?? 'the field is empty';
  return plan.binaryJson && typeof value === 'string' && holdsNul(value) ? NUL_IN_JSON : whyNot(value, plan.type);
}

/** A delete needs only its key; other cells of it may be anything. */
function isLeftOut(value: Value, op: number, isKey: boolean): boolean {
  return value === null || value === UNCHANGED || (op === Op.Delete && !isKey);
}

const NUL_IN_JSON = 'the JSON holds the character U+0000, which PostgreSQL cannot store';

function holdsNul(json: string): boolean {
  return json.includes('\\u0000') && JSON_NUL.test(json);
}

function emptyProblem(value: Value, op: number, isKey: boolean): string | undefined {
  if (isKey) return 'a field of the key is empty';
  if (value !== UNCHANGED || op !== Op.Insert) return undefined;
  return 'a new record leaves this field out, so there is nothing to keep';
}

/** The text of one cell as COPY takes it; `undefined` when it has none. */
function encodeCell(value: Value, type: ColumnType): string | undefined {
  switch (typeof value) {
    case 'string':
      if (type === 'bool' || type === 'bytes') return undefined;
      if (!SPECIAL.test(value)) return value;
      if (value.includes('\0') || UNPAIRED.test(value)) return undefined;
      return value.replace(ESCAPED, escaped);
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

function escaped(character: string): string {
  return ESCAPES[character] ?? character;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function whyNot(value: Value, type: ColumnType): string {
  if (typeof value !== 'string') return `a ${typeof value} is no value of type ${type}`;
  if (value.includes('\0')) return 'the text holds the character U+0000, which PostgreSQL cannot store';
  if (UNPAIRED.test(value)) return 'the text holds half of a surrogate pair, which is no character';
  return `a text is no value of type ${type}`;
}

function unchangedList(row: Row, op: number): string {
  if (op !== Op.Update || !row.includes(UNCHANGED)) return '\\N';
  return row.map((value) => (value === UNCHANGED ? '1' : '0')).join('');
}

function isLarge(value: Value): boolean {
  return (typeof value === 'string' || value instanceof Uint8Array) && value.length > LARGE_CELL;
}

/** A line in parts: texts that are encoded already, and large cells still as they are behind a marker of their own. */
function largeLine(
  shape: Shape,
  row: Row,
  op: number,
  refuse: (place: number, reason: string) => CellRefusal,
): Encoded {
  const parts: (string | Uint8Array)[] = [];
  let bytes = 0;
  for (let place = 0; place < row.length; place++) {
    const column = shape.columns[place];
    const value = row[place] ?? null;
    const key = shape.key.includes(place);
    if (!column) continue;
    if (place > 0) parts.push(TAB);
    if (isLeftOut(value, op, key)) {
      const empty = emptyProblem(value, op, key);
      if (empty !== undefined) return refuse(place, empty);
      parts.push(NULL);
      continue;
    }
    const problem = largeProblem(value, column.source.type, column.type);
    if (problem !== undefined) return refuse(place, problem);
    const part =
      typeof value === 'string' || value instanceof Uint8Array ? value : String(encodeCell(value, 'float64'));
    bytes += sizeOf(part);
    if (bytes > LARGEST_LINE_BYTES) return refuse(place, 'the record is larger than the 1 GB that PostgreSQL takes');
    parts.push(part);
  }
  return parts;
}

/** Parts that must not be escaped are told by identity: they are bytes. */
const TAB: Uint8Array = Buffer.from('\t');
const NULL: Uint8Array = Buffer.from('\\N');

function largeProblem(value: Value, type: ColumnType, stored: string): string | undefined {
  if (value instanceof Uint8Array) {
    if (type !== 'bytes') return whyNot(value, type);
    return value.length > LARGEST_BYTES ? 'the value is larger than PostgreSQL can take' : undefined;
  }
  if (typeof value !== 'string') return encodeCell(value, type) === undefined ? whyNot(value, type) : undefined;
  if (type === 'bool' || type === 'bytes' || value.includes('\0') || UNPAIRED.test(value)) return whyNot(value, type);
  return stored === 'jsonb' && holdsNul(value) ? NUL_IN_JSON : undefined;
}

function sizeOf(part: string | Uint8Array): number {
  return typeof part === 'string' ? Buffer.byteLength(part) : part.length * 2;
}

function* largeCell(part: string | Uint8Array): Generator<Uint8Array, void, undefined> {
  if (part === TAB || part === NULL) {
    yield part as Uint8Array;
    return;
  }
  if (typeof part !== 'string') yield Buffer.from('\\\\x');
  let start = 0;
  while (start < part.length) {
    let end = Math.min(start + LARGE_CELL, part.length);
    if (typeof part === 'string') {
      const code = part.charCodeAt(end - 1);
      if (code >= 0xd800 && code < 0xdc00) end++;
      yield Buffer.from(part.slice(start, end).replace(ESCAPED, escaped), 'utf8');
    } else {
      yield Buffer.from(hex(part.subarray(start, end)), 'latin1');
    }
    start = end;
  }
}
