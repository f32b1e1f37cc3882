import { Op, type Row, type RowBatch } from '../core/batch';
import { Fault } from '../core/fault';
import type { BoundPipeline, PipedBatch, Pipeline } from '../core/pipeline';
import { INCREMENT } from '../core/position';
import type {
  EntryRecord,
  EntryState,
  FailedItem,
  QuarantineEntry,
  QuarantineStore,
  ReplayItem,
  ReplayOutcome,
  ReplayRequest,
} from '../core/quarantine';
import type { StreamSchema } from '../core/schema';
import type { ReplayOrder, ReplayResult } from '../core/service';
import type { EngineContext } from './context';
import { configurationOf } from './fingerprint';
import { boundTo, openPipeline } from './open-pipeline';
import { type Surroundings, withQuarantine } from './quarantined';

const PAGE = 200;

/** See `Service.replayQuarantined`. */
export function replay(context: EngineContext, id: string, order: ReplayOrder, signal: AbortSignal) {
  return withQuarantine(context, id, async (quarantine, parts): Promise<ReplayResult> => {
    const { document, fields, destination } = parts;
    const pipeline = await openPipeline(context.ports, document, fields, destination);
    const configuration = configurationOf(fields, pipeline);
    const shapes = new Map<string, Shape>();
    const shapeOf = (schema: StreamSchema) => {
      const text = JSON.stringify(schema);
      const shape = shapes.get(text) ?? { schema, entries: [], steps: once(() => stepsFor(schema, pipeline)) };
      shapes.set(text, shape);
      return shape;
    };
    const outcomes: ReplayOutcome[] = [];
    let { after } = order;
    while (outcomes.length < order.limit) {
      signal.throwIfAborted();
      const limit = Math.min(PAGE, order.limit - outcomes.length);
      const page = await quarantine.entries(order.filter, { limit, ...(after !== undefined && { after }) });
      for (const entry of page) {
        if (entry.record) shapeOf(entry.record.schema).entries.push({ ...entry, record: entry.record });
        else outcomes.push(unreadable(entry));
      }
      for (const shape of shapes.values()) {
        const entries = shape.entries.splice(0);
        if (entries.length > 0) {
          outcomes.push(...(await replayShape(quarantine, parts, shape, entries, { ...order, configuration, signal })));
        }
      }
      after = page.at(-1)?.id ?? after;
      if (page.length < limit) return { outcomes };
    }
    return { outcomes, ...(after !== undefined && { next: after }) };
  });
}

type Readable = QuarantineEntry & { readonly record: EntryRecord };

interface Steps {
  readonly bound?: BoundPipeline;
  readonly output: StreamSchema;
}

interface Shape {
  readonly schema: StreamSchema;
  /** @throws Fault when the steps do not fit the shape that the record has */
  steps(): Steps;
  /** Of the page at hand. */
  readonly entries: Readable[];
}

function stepsFor(schema: StreamSchema, pipeline: Pipeline | undefined): Steps {
  const bound = boundTo({ ...(pipeline && { pipeline }) }, schema);
  return bound ? { bound, output: bound.output } : { output: schema };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** What does not fit the steps or the table any more is no reason to leave records of other shapes where they are. */
async function replayShape(
  quarantine: QuarantineStore,
  around: Surroundings,
  shape: Shape,
  entries: readonly Readable[],
  order: JudgedOrder,
): Promise<readonly ReplayOutcome[]> {
  try {
    return await replayFitting(quarantine, around, shape, entries, order);
  } catch (error) {
    if (!(error instanceof Fault) || !['config', 'data'].includes(error.kind)) throw error;
    const reasons = [{ message: error.message }];
    return entries.map(({ id, stream }) => ({ id, stream, state: 'failed', reasons }));
  }
}

type JudgedOrder = Pick<ReplayOrder, 'dryRun'> & { readonly configuration: string; readonly signal: AbortSignal };

async function replayFitting(
  quarantine: QuarantineStore,
  { destination, integration }: Surroundings,
  { schema, steps }: Shape,
  entries: readonly Readable[],
  { dryRun, configuration, signal }: JudgedOrder,
): Promise<readonly ReplayOutcome[]> {
  const { bound, output } = steps();
  const piped = await judge(bound, schema, entries);
  const request: ReplayRequest = { schema: output, ...piped, configuration, dryRun, signal };
  if (!dryRun) await destination.prepare({ integration, stream: schema.stream, partition: INCREMENT }, output);
  try {
    return await quarantine.replay(request);
  } catch (error) {
    // The table is made, or made wider, only when it is meant.
    const unprepared = error instanceof Fault && ['table_gone', 'table_changed'].includes(error.code);
    if (!dryRun || !unprepared) throw error;
    return expected(schema.stream, request);
  }
}

type Judged = Pick<ReplayRequest, 'items' | 'failed' | 'leftOut'>;

/** Sends records through the pipeline; with the strategy `stop` one by one, as the first that fails ends a batch. */
async function judge(
  bound: BoundPipeline | undefined,
  schema: StreamSchema,
  entries: readonly Readable[],
): Promise<Judged> {
  if (bound === undefined) {
    const items = entries.map(({ id, revision, record: { row, op } }) => ({ id, revision, row, op }));
    return { items, failed: [], leftOut: [] };
  }
  const batch = {
    kind: 'rows',
    schema,
    after: { format: 0, value: null },
    rows: entries.map(({ record }) => record.row),
    ops: Uint8Array.from(entries, ({ record }) => record.op),
  } satisfies RowBatch;
  try {
    return sorted(entries, await bound.run(batch, { load: false }));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'record_refused') throw error;
    const [only, ...more] = entries;
    if (only && more.length === 0) {
      return { items: [], failed: [{ ...stateOf(only), reasons: [{ message: error.message }] }], leftOut: [] };
    }
  }
  const parts: Judged[] = [];
  for (const entry of entries) parts.push(await judge(bound, schema, [entry]));
  return {
    items: parts.flatMap(({ items }) => items),
    failed: parts.flatMap(({ failed }) => failed),
    leftOut: parts.flatMap(({ leftOut }) => leftOut),
  };
}

function stateOf({ id, revision }: EntryState): EntryState {
  return { id, revision };
}

function sorted(entries: readonly Readable[], { batch, rejected, skipped, sources }: PipedBatch): Judged {
  const open = new Map<Row, EntryState>(entries.map((entry) => [entry.record.row, stateOf(entry)]));
  const take = (row: Row | undefined) => {
    const entry = row && open.get(row);
    if (row) open.delete(row);
    return entry;
  };
  const items = batch.rows.flatMap((row, place): ReplayItem[] => {
    const entry = take((sources ?? batch).rows[place]);
    return entry === undefined ? [] : [{ ...entry, row, op: batch.ops?.[place] ?? Op.Insert }];
  });
  const failed = rejected.flatMap(({ row, reasons }): FailedItem[] => {
    const entry = take(row);
    return entry === undefined ? [] : [{ ...entry, reasons }];
  });
  const rest = [...open.values()];
  if (skipped === 0) return { items, failed, leftOut: rest };
  const reasons = [{ message: 'it fails still; error_handling.strategy is "skip", so the reason is not kept' }];
  return { items, failed: [...failed, ...rest.map((entry) => ({ ...entry, reasons }))], leftOut: [] };
}

function unreadable({ id, stream, problem = '' }: QuarantineEntry): ReplayOutcome {
  return { id, stream, state: 'failed', reasons: [{ message: `the record cannot be brought back: ${problem}` }] };
}

function expected(stream: string, { items, failed, leftOut }: ReplayRequest): readonly ReplayOutcome[] {
  return [
    ...items.map(({ id }): ReplayOutcome => ({ id, stream, state: 'loaded', reasons: [] })),
    ...failed.map(({ id, reasons }): ReplayOutcome => ({ id, stream, state: 'failed', reasons })),
    ...leftOut.map(({ id }): ReplayOutcome => ({ id, stream, state: 'left_out', reasons: [] })),
  ];
}
