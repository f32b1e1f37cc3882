import { type MixedRows, type Row, type RowBatch, textCell } from '../core/batch';
import type { Rejection, Sources } from '../core/destination';
import type { Position } from '../core/position';
import type { StreamSchema } from '../core/schema';
import type { Frame } from './frame';

/** What leaves the pipeline: the places of rows in their batch, where not all of them do, and what became of them. */
export interface Kept {
  readonly places?: readonly number[];
  readonly ops?: Uint8Array;
}

/** Decoded rows as they leave: the cells that are still fields, in order. */
export function projected(rows: Row[], { places }: Kept, projection: readonly number[] | undefined): Row[] {
  const kept = places === undefined ? rows : chosen(rows, places);
  if (projection === undefined) return kept;
  return kept.map((row) => projection.map((place) => row[place] ?? null));
}

/** A load's rows, of which the cells that nobody looked at are still text; they are joined when somebody asks for whole rows. */
export class MixedBatch implements RowBatch {
  readonly kind = 'rows';
  readonly schema: StreamSchema;
  readonly after: Position;
  readonly sourceTime?: number;
  readonly mixed: MixedRows;
  #rows: Row[] | undefined;

  constructor(schema: StreamSchema, { after, sourceTime }: RowBatch, mixed: MixedRows) {
    this.schema = schema;
    this.after = after;
    if (sourceTime !== undefined) this.sourceTime = sourceTime;
    this.mixed = mixed;
  }

  get rows(): Row[] {
    this.#rows ??= this.mixed.rows.map((_, index) => joinedRow(this.mixed, index));
    return this.#rows;
  }
}

function joinedRow({ text, columns, rows, origin }: MixedRows, index: number): Row {
  const row = rows[index] ?? [];
  const source = origin?.[index] ?? index;
  return columns.map((column) => ('text' in column ? textCell(text, source, column) : (row[column.cell] ?? null)));
}

/** The records that the kept rows were made of; put together only when somebody asks for them. */
export class KeptSources implements Sources {
  readonly #batch: RowBatch;
  readonly #places: readonly number[] | undefined;

  constructor(batch: RowBatch, { places }: Kept) {
    this.#batch = batch;
    this.#places = places;
  }

  get schema(): StreamSchema {
    return this.#batch.schema;
  }

  get rows(): readonly Row[] {
    return this.#places === undefined ? this.#batch.rows : chosen(this.#batch.rows, this.#places);
  }
}

/** The records that failed, as the source gave them. */
export function rejections(frame: Frame, batch: RowBatch): Rejection[] {
  const byPlace = [...frame.reasons].sort(([left], [right]) => left - right);
  return byPlace.map(([index, reasons]) => {
    const row = batch.text?.row(index) ?? batch.rows[index] ?? [];
    const op = batch.ops?.[index];
    return { row, schema: batch.schema, reasons, ...(op !== undefined && { op }) };
  });
}

export function chosen(rows: readonly Row[], places: readonly number[]): Row[] {
  return places.map((place) => rows[place] ?? []);
}
