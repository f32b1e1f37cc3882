import type { Row, RowBatch, Value } from '../../../lib/core/batch';
import type { PipedBatch, Pipeline, PipelineServices, PipePurpose } from '../../../lib/core/pipeline';
import type { Column, ColumnType, StreamSchema } from '../../../lib/core/schema';
import type { Transformation } from '../../../lib/core/transformations';
import type { ErrorHandling, ValidationRule } from '../../../lib/core/validation-rules';
import { compilePipeline } from '../../../lib/pipeline/compile';
import { textBatch } from '../text-batch';

/** A stream of the given columns, `id` the key unless it says otherwise. */
export function stream(
  columns: { readonly [name: string]: ColumnType },
  key: readonly string[] = ['id'],
): StreamSchema {
  const all = Object.entries(columns).map(
    ([name, type]): Column => ({ name, type, nullable: !key.includes(name), native: `test/${type}` }),
  );
  return { stream: 'orders', columns: all, key };
}

/** Services that nothing may ask for. */
export const noServices: PipelineServices = {
  lookup: async () => {
    throw new Error('no lookup was expected');
  },
  places: async () => {
    throw new Error('no place was expected');
  },
};

/** What a pipeline is made of. */
export interface Parts {
  readonly steps?: readonly Transformation[];
  readonly rules?: readonly ValidationRule[];
  readonly handling?: ErrorHandling;
  readonly services?: PipelineServices;
}

/** Compiles steps and rules. */
export async function pipelineOf({
  steps = [],
  rules = [],
  handling,
  services = noServices,
}: Parts): Promise<Pipeline> {
  const pipeline = await compilePipeline(
    { transformations: [...steps], validation_rules: [...rules], ...(handling && { error_handling: handling }) },
    services,
  );
  if (pipeline === undefined) throw new Error('there is nothing in this pipeline');
  return pipeline;
}

/** A batch of rows of a shape. */
export function batchOf(schema: StreamSchema, rows: Row[], ops?: readonly number[]): RowBatch {
  return { kind: 'rows', schema, after: { format: 1, value: 0 }, rows, ...(ops && { ops: Uint8Array.from(ops) }) };
}

/** Sends rows through steps and rules; those of a load also as the text that a source may give instead. */
export async function pipe(
  parts: Parts,
  schema: StreamSchema,
  rows: Row[],
  { ops, load = true }: { readonly ops?: readonly number[] } & Partial<PipePurpose> = {},
): Promise<PipedBatch> {
  const piped = await (await pipelineOf(parts)).bind(schema).run(batchOf(schema, rows, ops), { load });
  const text = load && ops === undefined ? textBatch(schema, rows) : undefined;
  if (text !== undefined && isSame(text.rows, rows)) {
    const other = await (await pipelineOf(parts)).bind(schema).run(text, { load });
    expect(other.batch.mixed).toBeDefined();
    expect(whole(other)).toEqual(whole(piped));
  }
  return piped;
}

function isSame(left: readonly Row[], right: readonly Row[]): boolean {
  return left.every((row, place) => row.every((cell, column) => Object.is(cell, right[place]?.[column])));
}

function whole({ batch, rejected, skipped, sources }: PipedBatch) {
  const { rows, schema, after } = batch;
  return { rows, schema, after, rejected, skipped, sources: sources && { schema: sources.schema, rows: sources.rows } };
}

/** The one value that a conversion makes of one value, or the reason why it fails. */
export async function converted(
  type: ColumnType,
  value: Value,
  step: Transformation,
): Promise<Value | { failed: string }> {
  const schema = stream({ id: 'int32', value: type });
  const { batch, rejected } = await pipe({ steps: [step] }, schema, [[1, value]]);
  const [reason] = rejected[0]?.reasons ?? [];
  return reason ? { failed: reason.message } : (batch.rows[0]?.[1] ?? null);
}
