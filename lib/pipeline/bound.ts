import { type MixedRows, Op, type RowBatch, type TextColumn } from '../core/batch';
import { Fault } from '../core/fault';
import type { BoundPipeline, PipedBatch, PipePurpose } from '../core/pipeline';
import type { StreamSchema } from '../core/schema';
import type { ErrorHandling } from '../core/validation-rules';
import { Frame, Mark } from './frame';
import type { Layout } from './layout';
import { chosen, type Kept, KeptSources, MixedBatch, projected, rejections } from './piped';
import type { BoundStep } from './step';

/** What a pipeline was bound to. */
export interface BoundTo {
  readonly layout: Layout;
  readonly steps: readonly BoundStep[];
  readonly strategy: NonNullable<ErrorHandling['strategy']>;
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
  readonly #used: readonly number[];
  readonly #mixed: MixedRows['columns'];
  readonly #asWritten: readonly (TextColumn | undefined)[];
  readonly #strategy: BoundTo['strategy'];

  constructor({ layout, steps, strategy }: BoundTo) {
    this.output = layout.output();
    this.notes = layout.notes;
    this.#steps = steps;
    this.#width = layout.width;
    this.#projection = layout.projection();
    this.#used = layout.used();
    this.#mixed = layout.mixed();
    this.#asWritten = layout.asWritten();
    this.#strategy = strategy;
  }

  run(batch: RowBatch, purpose: PipePurpose): PipedBatch | Promise<PipedBatch> {
    const frame = this.#frameOf(batch, purpose);
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

  /** Records of a load are only added, so that what nobody looks at in them may go on as the text that it came as. */
  #frameOf(batch: RowBatch, { load }: PipePurpose): Frame {
    const { text, ops } = batch;
    if (text !== undefined && load && ops === undefined) return Frame.ofText(text, this.#used, this.#width);
    return Frame.ofRows(batch, this.#width);
  }

  #finish(frame: Frame, batch: RowBatch, purpose: PipePurpose): PipedBatch {
    const failed = frame.reasons.size;
    const { ops } = batch;
    const kept: Kept = failed + frame.filtered > 0 ? this.#kept(frame, batch, purpose) : { ...(ops && { ops }) };
    const output = this.#output(frame, batch, kept);
    const done: PipedBatch = { batch: output, rejected: [], skipped: 0, sources: new KeptSources(batch, kept) };
    if (failed === 0) return done;
    if (this.#strategy === 'stop') throw refused(frame, this.output.stream);
    if (this.#strategy === 'skip') return { ...done, skipped: failed };
    return { ...done, rejected: rejections(frame, batch) };
  }

  #kept({ rows, marks }: Frame, batch: RowBatch, { load }: PipePurpose): Kept {
    const places: number[] = [];
    const ops: number[] = [];
    const deletes = !load && this.output.key.length > 0;
    let changes = batch.ops !== undefined;
    for (let place = 0; place < rows.length; place++) {
      const mark = marks[place] ?? 0;
      const leaves = (mark & LEFT_OUT) !== 0;
      if (leaves && (!deletes || (mark & FAILED) !== 0)) continue;
      places.push(place);
      ops.push(leaves ? Op.Delete : (batch.ops?.[place] ?? Op.Insert));
      changes ||= leaves;
    }
    return changes ? { places, ops: Uint8Array.from(ops) } : { places };
  }

  #columns({ asWritten }: Frame): MixedRows['columns'] {
    if (asWritten.size === 0) return this.#mixed;
    return this.#mixed.map((column, place) => {
      const written = this.#asWritten[place];
      return written !== undefined && asWritten.has(written.text) ? written : column;
    });
  }

  #output(frame: Frame, batch: RowBatch, kept: Kept): RowBatch {
    const { after, sourceTime, open } = batch;
    const { ops, places } = kept;
    if (frame.text !== undefined) {
      const rows = places === undefined ? frame.rows : chosen(frame.rows, places);
      const mixed = { text: frame.text, columns: this.#columns(frame), rows, ...(places && { origin: places }) };
      return new MixedBatch(this.output, batch, mixed);
    }
    return {
      kind: 'rows',
      schema: this.output,
      after,
      ...(sourceTime !== undefined && { sourceTime }),
      ...(open && { open }),
      ...(ops && { ops }),
      rows: projected(frame.rows, kept, this.#projection),
    };
  }
}

function refused(frame: Frame, stream: string): Fault {
  const [reason] = [...frame.reasons.values()][0] ?? [];
  const field = reason?.field === undefined ? '' : ` (${reason.field})`;
  return new Fault('data', 'record_refused', `syncing ${stream}: a record failed: ${reason?.message}${field}`, {
    hint: 'error_handling.strategy is "stop". Correct the record at the source or the rule, or choose "quarantine" to keep such records aside.',
  });
}
