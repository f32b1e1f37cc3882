import { Op, type Row, type RowBatch } from '../core/batch';
import type { Destination, Reason } from '../core/destination';
import { Fault } from '../core/fault';
import type { BoundPipeline, PipedBatch } from '../core/pipeline';
import { INCREMENT } from '../core/position';
import type {
  QuarantineEntry,
  QuarantineFilter,
  QuarantineStore,
  ReplayItem,
  ReplayOutcome,
  ReplayRequest,
} from '../core/quarantine';
import type { StreamSchema } from '../core/schema';
import type { ReplayOrder, ReplayResult } from '../core/service';
import type { EngineContext } from './context';
import { checkDocument } from './document';
import { loadIntegration } from './integrations';
import { boundTo, openPipeline } from './open-pipeline';
import { openDestination } from './sessions';

const PAGE = 200;

/** Opens the quarantine of an integration for `work`. @throws Fault `config`/`no_quarantine` */
export async function withQuarantine<T>(
  context: EngineContext,
  id: string,
  work: (quarantine: QuarantineStore, parts: Parts) => Promise<T>,
): Promise<T> {
  const { document } = (await loadIntegration(context, id)).value;
  const { fields } = await checkDocument(document, context.ports.loadConnector);
  const destination = await openDestination(context.ports, fields);
  try {
    if (!destination.quarantine) {
      throw new Fault('config', 'no_quarantine', `replaying ${id}: this destination gives no quarantined record back`);
    }
    const openSteps = () => openPipeline(context.ports, document, fields, destination);
    return await work(destination.quarantine, { destination, openSteps, integration: id });
  } finally {
    await destination.close();
  }
}

interface Parts {
  readonly destination: Destination;
  readonly integration: string;
  openSteps(): ReturnType<typeof openPipeline>;
}

/** See `Service.replayQuarantined`. */
export function replay(context: EngineContext, id: string, order: ReplayOrder, signal: AbortSignal) {
  return withQuarantine(context, id, async (quarantine, parts): Promise<ReplayResult> => {
    const pipeline = await parts.openSteps();
    const shapes = new Map<string, Shape>();
    const shapeOf = (schema: StreamSchema) => {
      const text = JSON.stringify(schema);
      const known = shapes.get(text);
      const bound = known?.bound ?? boundTo({ ...(pipeline && { pipeline }) }, schema);
      const shape = known ?? { schema, bound, output: bound?.output ?? schema, entries: [] };
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
        if (entries.length > 0) outcomes.push(...(await replayShape(quarantine, parts, shape, entries, order, signal)));
      }
      after = page.at(-1)?.id ?? after;
      if (page.length < limit) return { outcomes };
    }
    return { outcomes, ...(after !== undefined && { next: after }) };
  });
}

type Readable = QuarantineEntry & { readonly record: NonNullable<QuarantineEntry['record']> };

interface Shape {
  readonly schema: StreamSchema;
  readonly bound: BoundPipeline | undefined;
  readonly output: StreamSchema;
  /** Of the page at hand. */
  readonly entries: Readable[];
}

async function replayShape(
  quarantine: QuarantineStore,
  { destination, integration }: Parts,
  { schema, bound, output }: Shape,
  entries: readonly Readable[],
  { dryRun }: ReplayOrder,
  signal: AbortSignal,
): Promise<readonly ReplayOutcome[]> {
  const piped = await judge(bound, schema, entries);
  const request: ReplayRequest = { schema: output, ...piped, dryRun, signal };
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

interface Judged {
  readonly items: readonly ReplayItem[];
  readonly failed: readonly { readonly id: string; readonly reasons: readonly Reason[] }[];
  readonly leftOut: readonly string[];
}

/** Sends records through the pipeline; with the strategy `stop` one by one, as the first that fails ends a batch. */
async function judge(
  bound: BoundPipeline | undefined,
  schema: StreamSchema,
  entries: readonly Readable[],
): Promise<Judged> {
  if (bound === undefined) {
    return { items: entries.map(({ id, record: { row, op } }) => ({ id, row, op })), failed: [], leftOut: [] };
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
      return { items: [], failed: [{ id: only.id, reasons: [{ message: error.message }] }], leftOut: [] };
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

function sorted(entries: readonly Readable[], { batch, rejected, skipped, sources }: PipedBatch): Judged {
  const open = new Map<Row, string>(entries.map(({ id, record }) => [record.row, id]));
  const take = (row: Row | undefined) => {
    const id = row && open.get(row);
    if (row) open.delete(row);
    return id;
  };
  const items = batch.rows.flatMap((row, place): ReplayItem[] => {
    const id = take((sources ?? batch).rows[place]);
    return id === undefined ? [] : [{ id, row, op: batch.ops?.[place] ?? Op.Insert }];
  });
  const failed = rejected.flatMap(({ row, reasons }) => {
    const id = take(row);
    return id === undefined ? [] : [{ id, reasons }];
  });
  const rest = [...open.values()];
  if (skipped === 0) return { items, failed, leftOut: rest };
  const reasons = [{ message: 'it fails still; error_handling.strategy is "skip", so the reason is not kept' }];
  return { items, failed: [...failed, ...rest.map((id) => ({ id, reasons }))], leftOut: [] };
}

function unreadable({ id, stream, problem = '' }: QuarantineEntry): ReplayOutcome {
  return { id, stream, state: 'failed', reasons: [{ message: `the record cannot be brought back: ${problem}` }] };
}

function expected(stream: string, { items, failed, leftOut }: ReplayRequest): readonly ReplayOutcome[] {
  return [
    ...items.map(({ id }): ReplayOutcome => ({ id, stream, state: 'loaded', reasons: [] })),
    ...failed.map(({ id, reasons }): ReplayOutcome => ({ id, stream, state: 'failed', reasons })),
    ...leftOut.map((id): ReplayOutcome => ({ id, stream, state: 'left_out', reasons: [] })),
  ];
}

/** See `Service.dropQuarantined`. */
export function dropQuarantined(context: EngineContext, id: string, filter: QuarantineFilter): Promise<number> {
  return withQuarantine(context, id, (quarantine) => quarantine.remove(filter));
}
