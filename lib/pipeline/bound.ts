import { Op, type Row, type RowBatch } from '../core/batch';
import type { Rejection } from '../core/destination';
import { Fault } from '../core/fault';
import type { BoundPipeline, PipedBatch, PipePurpose } from '../core/pipeline';
import type { StreamSchema } from '../core/schema';
import type { ErrorHandling } from '../core/validation-rules';
import { Frame, Mark } from './frame';
import type { Layout } from './layout';
import type { BoundStep } from './step';

/** What a pipeline was bound to. */
export interface BoundTo {
  readonly layout: Layout;
  readonly steps: readonly BoundStep[];
  readonly strategy: NonNullable<ErrorHandling['strategy']>;
}

/** Rows that go on, and the records that they were made of. */
interface Kept {
  readonly rows: Row[];
  readonly sourceRows: Row[];
  readonly ops?: Uint8Array;
}

const LEFT_OUT = Mark.Broken | Mark.Filtered | Mark.Invalid;
const FAILED = Mark.Broken | Mark.Invalid;

/** Steps and rules over the batches of one shape. */
export class BoundSteps implements BoundPipeline {
  readonly output: StreamSchema;
  readonly notes: readonly string[];
  readonly #steps: readonly BoundStep[];
  readonly #width: number;
  readonly #projection: readonly number[] | undefined;
  readonly #strategy: BoundTo['strategy'];

  constructor({ layout, steps, strategy }: BoundTo) {
    this.output = layout.output();
    this.notes = layout.notes;
    this.#steps = steps;
    this.#width = layout.width;
    this.#projection = layout.projection();
    this.#strategy = strategy;
  }

  run(batch: RowBatch, purpose: PipePurpose): PipedBatch | Promise<PipedBatch> {
    const frame = new Frame(batch, this.#width);
    for (const [index, step] of this.#steps.entries()) {
      if (step.prefetch) return this.#runFrom(index, frame, batch, purpose);
      step.run(frame);
    }
    return this.#finish(frame, batch, purpose);
  }

  async #runFrom(start: number, frame: Frame, batch: RowBatch, purpose: PipePurpose): Promise<PipedBatch> {
    for (const step of this.#steps.slice(start)) {
      await step.prefetch?.(frame);
      step.run(frame);
    }
    return this.#finish(frame, batch, purpose);
  }

  #finish(frame: Frame, batch: RowBatch, purpose: PipePurpose): PipedBatch {
    const failed = frame.reasons.size;
    const { rows, ops, sourceRows } =
      failed + frame.filtered > 0
        ? this.#kept(frame, batch, purpose)
        : { ...batch, rows: frame.rows, sourceRows: batch.rows };
    const sources = { schema: batch.schema, rows: sourceRows };
    const result: RowBatch = {
      ...withoutOps(batch),
      schema: this.output,
      rows: this.#projected(rows),
      ...(ops && { ops }),
    };
    if (failed === 0) return { batch: result, rejected: [], skipped: 0, sources };
    if (this.#strategy === 'stop') throw refused(frame, this.output.stream);
    if (this.#strategy === 'skip') return { batch: result, rejected: [], skipped: failed, sources };
    return { batch: result, rejected: rejections(frame, batch), skipped: 0, sources };
  }

  #kept(frame: Frame, batch: RowBatch, { load }: PipePurpose): Kept {
    const rows: Row[] = [];
    const sourceRows: Row[] = [];
    const ops: number[] = [];
    const deletes = !load && this.output.key.length > 0;
    let changes = batch.ops !== undefined;
    for (let index = 0; index < frame.rows.length; index++) {
      const row = frame.rows[index];
      const mark = frame.marks[index] ?? 0;
      if (row === undefined) continue;
      if ((mark & LEFT_OUT) === 0) {
        rows.push(row);
        sourceRows.push(batch.rows[index] ?? []);
        ops.push(batch.ops?.[index] ?? Op.Insert);
      } else if (deletes && (mark & FAILED) === 0) {
        rows.push(row);
        sourceRows.push(batch.rows[index] ?? []);
        ops.push(Op.Delete);
        changes = true;
      }
    }
    return changes ? { rows, sourceRows, ops: Uint8Array.from(ops) } : { rows, sourceRows };
  }

  #projected(rows: Row[]): Row[] {
    const places = this.#projection;
    if (places === undefined) return rows;
    return rows.map((row) => places.map((place) => row[place] ?? null));
  }
}

function withoutOps({ ops: _, ...batch }: RowBatch): RowBatch {
  return batch;
}

function rejections(frame: Frame, { rows, schema, ops }: RowBatch): Rejection[] {
  const byPlace = [...frame.reasons].sort(([left], [right]) => left - right);
  return byPlace.map(([index, reasons]) => ({
    row: rows[index] ?? [],
    schema,
    reasons,
    ...(ops && { op: ops[index] ?? Op.Insert }),
  }));
}

function refused(frame: Frame, stream: string): Fault {
  const [reason] = [...frame.reasons.values()][0] ?? [];
  const field = reason?.field === undefined ? '' : ` (${reason.field})`;
  return new Fault('data', 'record_refused', `syncing ${stream}: a record failed: ${reason?.message}${field}`, {
    hint: 'error_handling.strategy is "stop". Correct the record at the source or the rule, or choose "quarantine" to keep such records aside.',
  });
}
