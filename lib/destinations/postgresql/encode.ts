import { Op, type Row, UNCHANGED } from '../../core/batch';
import type { Reason } from '../../core/destination';
import type { RowProblem } from './cells';
import { CopyWriter } from './copy-writer';
import { cellPlans, LARGE, NULL, type Written, writeCells } from './encode-cells';
import { largeLine } from './encode-large';
import type { Shape } from './shape';

/** Bytes are given away in pieces of about this many. */
const CHUNK_BYTES = 64 * 1024;
/** So that most lines that begin within a piece also end there. */
const BUFFER_BYTES = CHUNK_BYTES + 16 * 1024;
const NEWLINE = 0x0a;

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
export function encodeRows({ shape, rows, ops, staged, refuse }: EncodeRequest): Iterable<Uint8Array> {
  const plans = cellPlans(shape);
  const opOf = (index: number) => ops?.[index] ?? Op.Insert;
  const rowOf = (index: number) => rows[index] ?? [];
  return encodeLines({
    length: rows.length,
    refuse,
    begin(writer, index) {
      const op = opOf(index);
      if (staged) writer.ascii(`${index}\t${op}\t${unchangedList(rowOf(index), op)}\t`);
    },
    write: (writer, index) => writeCells(writer, plans, rowOf(index), opOf(index)),
    inPieces: (index) => largeLine(shape, rowOf(index), opOf(index)),
  });
}

/** How lines are written, by their number. */
export interface Lines {
  readonly length: number;
  /** What comes before the cells of a row. */
  begin?(writer: CopyWriter, index: number): void;
  write(writer: CopyWriter, index: number): Written;
  /** A line with large cells, but for its end, or why there is none. */
  inPieces(index: number): Iterable<Uint8Array> | RowProblem;
  /** Told of each row that is left out. */
  refuse(refusal: Refusal): void;
}

/** Lines, one after the other. */
export function* encodeLines(lines: Lines): Generator<Uint8Array, void, undefined> {
  const writer = new CopyWriter(BUFFER_BYTES);
  for (let index = 0; index < lines.length; index++) {
    const start = writer.length;
    lines.begin?.(writer, index);
    const cells = writer.length;
    const written = lines.write(writer, index);
    const line = written === LARGE ? lines.inPieces(index) : written;
    if (line === undefined) {
      writer.byte(NEWLINE);
    } else if ('reason' in line) {
      writer.rewind(start);
      lines.refuse({ index, ...line });
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

function unchangedList(row: Row, op: number): string {
  if (op !== Op.Update || !row.includes(UNCHANGED)) return NULL;
  return row.map((value) => (value === UNCHANGED ? '1' : '0')).join('');
}
