import {
  type MixedRows,
  Op,
  type Row,
  type RowBatch,
  type TextColumn,
  type TextRows,
  textCell,
} from '../../core/batch';
import { Fault } from '../../core/fault';
import type { ColumnType } from '../../core/schema';
import { EMPTY_KEY, LARGE_CELL } from './cells';
import { type CopyWriter, viewOf } from './copy-writer';
import { encodeLines, type Lines } from './encode';
import { type CellPlan, cellPlans, LARGE, refused, TAB, type Written, writeCell } from './encode-cells';
import { largeLine } from './encode-large';
import type { Shape, ShapeColumn } from './shape';
import { DEFAULT_TYPES } from './types';

/** Types of which a decoded value is the very text that COPY has, so that it may also be kept in a column of text. */
const SAME_TEXT: ReadonlySet<ColumnType> = new Set([
  'int32',
  'int64',
  'decimal',
  'text',
  'json',
  'uuid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
]);
const NULL_BYTES = 2;
/** `\N`, as one number. */
const NULL_CELL = 0x5c4e;

/** Columns that stand side by side in the text, and go on as they are. */
interface Run {
  readonly kind: 'run';
  readonly from: number;
  to: number;
  /** Those of the key, which must not be NULL. */
  readonly keys: { readonly column: number; readonly plan: CellPlan }[];
}
interface Single {
  readonly kind: 'single';
  /** Where its cells are. */
  readonly from: MixedRows['columns'][number];
  readonly plan: CellPlan;
}
type Part = Run | Single;

/** The same as `encodeRows`, for records of a load of which some columns are still text. */
export function encodeMixed(
  shape: Shape,
  batch: RowBatch,
  mixed: MixedRows,
  refuse: Lines['refuse'],
): Iterable<Uint8Array> {
  const parts = partsOf(shape, mixed);
  const view = viewOf(mixed.text.bytes);
  return encodeLines({
    length: mixed.rows.length,
    refuse,
    write: (writer, index) => writeParts(writer, parts, mixed, view, index),
    inPieces: (index) => largeLine(shape, batch.rows[index] ?? [], Op.Insert),
  });
}

function partsOf(shape: Shape, { columns }: MixedRows): Part[] {
  const parts: Part[] = [];
  const plans = cellPlans(shape);
  for (const [place, column] of columns.entries()) {
    const plan = plans[place];
    const stored = shape.columns[place];
    if (plan === undefined || stored === undefined)
      throw new Fault('bug', 'no_column', 'storing more cells than columns');
    if ('text' in column && passes(column, stored, plan)) addToRun(parts, column.text, plan);
    else parts.push({ kind: 'single', from: column, plan });
  }
  return parts;
}

/**
 * Text that was converted is read alike only by a column of that very type. What `jsonb` refuses is found in the decoded text,
 * unless it comes from there.
 */
function passes({ convert }: TextColumn, { source, type }: ShapeColumn, { binaryJson }: CellPlan): boolean {
  if (convert !== undefined) return DEFAULT_TYPES[source.type] === type;
  return SAME_TEXT.has(source.type) && (!binaryJson || source.native === 'postgresql/jsonb');
}

function addToRun(parts: Part[], column: number, plan: CellPlan): void {
  const last = parts.at(-1);
  const keys = plan.isKey ? [{ column, plan }] : [];
  if (last?.kind === 'run' && last.to === column) {
    last.to++;
    last.keys.push(...keys);
  } else {
    parts.push({ kind: 'run', from: column, to: column + 1, keys });
  }
}

function writeParts(
  writer: CopyWriter,
  parts: readonly Part[],
  mixed: MixedRows,
  view: DataView,
  index: number,
): Written {
  const { text, rows, origin } = mixed;
  const source = origin === undefined ? index : (origin[index] as number);
  for (let number = 0; number < parts.length; number++) {
    const part = parts[number] as Part;
    if (number > 0) writer.byte(TAB);
    const written =
      part.kind === 'run'
        ? writeRun(writer, part, text, view, source)
        : writeSingle(writer, part, text, source, rows[index]);
    if (written !== undefined) return written;
  }
  return undefined;
}

function writeSingle(
  writer: CopyWriter,
  { from, plan }: Single,
  text: TextRows,
  source: number,
  row: Row | undefined,
): Written {
  return writeCell(writer, 'text' in from ? textCell(text, source, from) : row?.[from.cell], Op.Insert, plan);
}

function writeRun(
  writer: CopyWriter,
  { from, to, keys }: Run,
  { starts, width }: TextRows,
  view: DataView,
  row: number,
): Written {
  const first = row * (width + 1);
  for (const { column, plan } of keys) {
    if (isNull(view, starts[first + column] as number, starts[first + column + 1] as number)) {
      return refused(plan, EMPTY_KEY);
    }
  }
  const start = starts[first + from] as number;
  const end = (starts[first + to] as number) - 1;
  if (end - start > LARGE_CELL) return LARGE;
  writer.escaped(view, start, end);
  return undefined;
}

function isNull(view: DataView, start: number, next: number): boolean {
  return next - start === NULL_BYTES + 1 && view.getUint16(start) === NULL_CELL;
}
