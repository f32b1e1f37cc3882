import { Op, type Row, UNCHANGED, type Value } from '../../core/batch';
import type { Reason } from '../../core/destination';
import type { ColumnType } from '../../core/schema';
import { emptyProblem, holdsNul, isLarge, isLeftOut, NUL_IN_JSON, type RowProblem, simpleText, whyNot } from './cells';
import { CopyWriter, Found } from './copy-writer';
import { largeLine } from './encode-large';
import type { Shape } from './shape';

/** Bytes are given away in pieces of about this many. */
const CHUNK_BYTES = 64 * 1024;
/** So that most lines that begin within a piece also end there. */
const BUFFER_BYTES = CHUNK_BYTES + 16 * 1024;
const TAB = 0x09;
const NEWLINE = 0x0a;
const NULL = '\\N';
/** The line holds a cell that is sent in pieces. */
const LARGE = Symbol('large');

/** A row that cannot be stored. */
export interface Refusal extends RowProblem {
  readonly index: number;
}

/** A refusal's reason, as it is kept with the record. */
export function reasonOf(message: string, field: string | undefined): Reason {
  return field === undefined ? { message } : { message, field };
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
 * Rows as the text form of COPY. A row is checked and written in one pass, and one that cannot be stored is reported and
 * leaves no trace.
 */
export function* encodeRows({
  shape,
  rows,
  ops,
  staged,
  refuse,
}: EncodeRequest): Generator<Uint8Array, void, undefined> {
  const writer = new CopyWriter(BUFFER_BYTES);
  const writeCells = cellsWriter(shape, writer);
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] ?? [];
    const op = ops?.[index] ?? Op.Insert;
    const start = writer.length;
    if (staged) writer.ascii(`${index}\t${op}\t${unchangedList(row, op)}\t`);
    const cells = writer.length;
    const written = writeCells(row, op);
    const line = written === LARGE ? largeLine(shape, row, op) : written;
    if (line === undefined) {
      writer.byte(NEWLINE);
    } else if ('reason' in line) {
      writer.rewind(start);
      refuse({ index, ...line });
    } else {
      writer.rewind(cells);
      yield writer.take();
      yield* line;
      writer.byte(NEWLINE);
    }
    if (writer.length >= CHUNK_BYTES) yield writer.take();
  }
  if (writer.length > 0) yield writer.take();
}

interface CellPlan {
  readonly name: string;
  readonly type: ColumnType;
  readonly binaryJson: boolean;
  readonly isKey: boolean;
}

function cellsWriter(
  shape: Shape,
  writer: CopyWriter,
): (row: Row, op: number) => RowProblem | typeof LARGE | undefined {
  const plans = shape.columns.map(
    ({ source, type }, place): CellPlan => ({
      name: source.name,
      type: source.type,
      binaryJson: type === 'jsonb',
      isKey: shape.key.includes(place),
    }),
  );
  return (row, op) => {
    if (row.length !== plans.length) {
      return { reason: `the record has ${row.length} fields where ${plans.length} belong` };
    }
    for (let place = 0; place < plans.length; place++) {
      const plan = plans[place] as CellPlan;
      const value = row[place];
      if (place > 0) writer.byte(TAB);
      if (value !== undefined && isLarge(value) && !isLeftOut(value, op, plan.isKey)) return LARGE;
      const reason = writeCell(writer, value, op, plan);
      if (reason !== undefined) return { field: plan.name, reason };
    }
    return undefined;
  };
}

/** Writes a cell, or tells why it cannot be stored. */
function writeCell(writer: CopyWriter, value: Value | undefined, op: number, plan: CellPlan): string | undefined {
  if (value === undefined) return 'the field has no value, not even an empty one';
  if (isLeftOut(value, op, plan.isKey)) {
    writer.ascii(NULL);
    return emptyProblem(value, op, plan.isKey);
  }
  if (typeof value === 'string') return writeText(writer, value, plan);
  const text = simpleText(value, plan.type);
  if (text === undefined) return whyNot(value, plan.type);
  writer.ascii(text);
  return undefined;
}

function writeText(writer: CopyWriter, value: string, { type, binaryJson }: CellPlan): string | undefined {
  if (type === 'bool' || type === 'bytes') return whyNot(value, type);
  const found = writer.text(value);
  if (found === Found.Nothing) return undefined;
  if (found !== Found.Backslash) return whyNot(value, type);
  return binaryJson && holdsNul(value) ? NUL_IN_JSON : undefined;
}

function unchangedList(row: Row, op: number): string {
  if (op !== Op.Update || !row.includes(UNCHANGED)) return NULL;
  return row.map((value) => (value === UNCHANGED ? '1' : '0')).join('');
}
