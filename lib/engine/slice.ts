import type { Batch, RowBatch } from '../core/batch';
import type { ReadRequest } from '../core/connector';
import type { Destination, WriteOptions, WriteResult } from '../core/destination';
import { Fault, toFault } from '../core/fault';
import type { BoundPipeline, PipedBatch } from '../core/pipeline';
import type { StateKey } from '../core/ports';
import { MAX_POSITION_BYTES, type Position, type SliceKey } from '../core/position';
import type { StreamSchema } from '../core/schema';
import { BatchReader } from './batch-reader';
import { withoutDeletes } from './captured';
import type { EngineContext } from './context';
import { budgetFault } from './failure-budget';
import { Group, isAddition } from './group';
import { boundTo } from './open-pipeline';
import { readAhead } from './read-ahead';
import { update } from './records';
import { refuseNewShape } from './schema-policy';
import type { Session } from './sessions';
import { FEED, RUN_RETENTION_MS, type RunItem, type SliceItem, type StreamItem, sliceKey } from './state';
import { isRepairable } from './streams';

/** How a worker left a slice: `stopped` when it was asked to. */
export type SliceOutcome =
  | { readonly state: 'done' | 'more' | 'stopped' }
  | { readonly state: 'fault'; readonly fault: Fault; readonly progressed: boolean; readonly item: SliceItem };

/** A claimed slice. */
export interface SliceTask {
  readonly run: RunItem;
  readonly stream: StreamItem;
  readonly index: number;
  readonly key: StateKey;
  readonly item: SliceItem;
  readonly session: Session;
  readonly signal: AbortSignal;
  /** The streams whose changes are followed, where the slice is the feed. */
  readonly followed: readonly StreamSchema[];
  /** Milliseconds since 1970; the worker leaves at the first batch after it. */
  readonly deadline: number;
}

type Append = NonNullable<Destination['append']>;

const SAVE_INTERVAL_MS = 1000;
/** How many times as many changes as rows of a load are in a batch: each is a transaction of its own. */
const CHANGES = 5;

/** Reads and writes batch after batch until the slice's end, the deadline, the signal or a fault. */
export async function runSlice(context: EngineContext, task: SliceTask): Promise<SliceOutcome> {
  const work = new SliceWork(context, task);
  try {
    return { state: await work.run() };
  } catch (error) {
    const doing = `syncing ${task.stream.stream}`;
    return { state: 'fault', fault: toFault(error, doing), progressed: work.progressed, item: work.item };
  }
}

class SliceWork {
  readonly #context: EngineContext;
  readonly #task: SliceTask;
  readonly #slice: SliceKey;
  readonly #prepared = new Map<string, StreamSchema>();
  readonly #pipelines = new Map<StreamSchema, BoundPipeline | undefined>();
  #item: SliceItem;
  #savedAt: number;
  progressed = false;

  /** What is known of the slice, as far as it has come. */
  get item(): SliceItem {
    return this.#item;
  }

  constructor(context: EngineContext, task: SliceTask) {
    this.#context = context;
    this.#task = task;
    this.#slice = sliceKey(task.run.integration, task.stream, task.index);
    this.#item = task.item;
    this.#savedAt = context.ports.clock.now();
  }

  async run(): Promise<'done' | 'more' | 'stopped'> {
    const { session, signal, item } = this.#task;
    const committed = await session.destination.claim(this.#slice, item.fence);
    const reading = new AbortController();
    const stop = () => reading.abort();
    signal.addEventListener('abort', stop, { once: true });
    const reader = new BatchReader(readAhead(this.#batches(committed, reading.signal), stop));
    const append = this.#appender();
    try {
      for (let batch = await reader.next(); batch !== undefined; batch = await reader.next()) {
        if (append && isAddition(batch)) await this.#append(append, batch, reader);
        else await this.#write(batch);
        if (signal.aborted) return await this.#leave('stopped');
        if (this.#isTimeUp()) return await this.#leave('more');
      }
      if (signal.aborted) return await this.#leave('stopped');
      return await this.#leave('done');
    } finally {
      await reader.close(stop);
      signal.removeEventListener('abort', stop);
    }
  }

  #batches(from: Position | undefined, signal: AbortSignal): AsyncIterable<Batch> {
    const { stream, session, index } = this.#task;
    const request: ReadRequest = { size: this.#size(), accept: this.#accept(), signal };
    if (stream.stream === FEED) return this.#changes(request, from);
    if (!session.source.scan) throw unable(stream.stream, 'be read');
    const part = stream.parts?.[index];
    return session.source.scan({
      ...request,
      stream: stream.schema,
      repairable: isRepairable(stream),
      ...(stream.load !== undefined && index !== stream.catchUp && part !== undefined && { partition: part }),
      ...(stream.cursor && { cursor: stream.cursor }),
      ...(from && { from }),
    });
  }

  #changes(request: ReadRequest, from: Position | undefined): AsyncIterable<Batch> {
    const { session, stream } = this.#task;
    if (!session.source.feed || !from) throw unable(stream.stream, 'be followed');
    if (this.#task.followed.length === 0) return readNothing();
    const changes = session.source.feed.read({ ...request, streams: this.#task.followed, from, follow: false });
    return session.fields.sync_strategy?.capture_deletes === false ? withoutDeletes(changes) : changes;
  }

  #size(): { readonly rows: number; readonly bytes: number } {
    const { batch } = this.#context.options;
    const { sync_settings, sync_strategy } = this.#task.session.fields;
    const standard = this.#task.stream.stream === FEED ? batch.rows * CHANGES : batch.rows;
    return { rows: sync_settings?.batch_size ?? sync_strategy?.batch_size ?? standard, bytes: batch.bytes };
  }

  #accept() {
    const { session, item } = this.#task;
    const unparsed = session.fields.sync_settings?.bulk !== 'off' && !item.rowsOnly && !this.#isPiped();
    return unparsed ? session.destination.accepts : [];
  }

  #isPiped(): boolean {
    const { session, stream, followed } = this.#task;
    const streams = stream.stream === FEED ? followed.map((schema) => schema.stream) : [stream.stream];
    return streams.some((name) => session.pipeline?.concerns(name) === true);
  }

  #isTimeUp(): boolean {
    return this.#context.ports.clock.now() >= this.#task.deadline;
  }

  /** A load only gains records, so that many batches can go into one transaction, where the destination can. */
  #appender(): Append | undefined {
    const { session, item } = this.#task;
    const { destination } = session;
    if (this.#slice.load === undefined || item.singly === true) return undefined;
    return destination.append?.bind(destination);
  }

  async #append(append: Append, first: RowBatch, reader: BatchReader): Promise<void> {
    const { options, ports } = this.#context;
    const pipe = (batch: RowBatch) => {
      checkPosition(batch.after, batch.schema.stream);
      return this.#piped(batch);
    };
    const joined = new Group(first, reader, pipe, {
      ...options.group,
      isOver: () => this.#isTimeUp(),
      every: (ms, work) => ports.every(ms, work),
    });
    await this.#prepare(this.#pipelineOf(first.schema)?.output ?? first.schema);
    const result = await append(joined.additions(), this.#slice, this.#options());
    await this.#wrote(joined.last, result, joined);
    joined.throwFailure();
  }

  async #write(batch: Batch): Promise<void> {
    checkPosition(batch.after, batch.schema.stream);
    const unpiped = { batch, rejected: [], skipped: 0 };
    const piped: PipedBatch | typeof unpiped = batch.kind === 'rows' ? await this.#piped(batch) : unpiped;
    const { batch: ready, rejected, skipped } = piped;
    const sources = 'sources' in piped && piped.sources ? { sources: piped.sources } : {};
    // A feed that only moves on says nothing of the stream that it is called after.
    const isHeartbeat = this.#task.stream.stream === FEED && ready.kind === 'rows' && ready.rows.length === 0;
    if (!isHeartbeat) await this.#prepare(ready.schema);
    const { destination } = this.#task.session;
    const result = await destination.write(ready, this.#slice, { ...this.#options(), rejected, ...sources });
    await this.#wrote(batch, result, { rejected: rejected.length, skipped });
  }

  #options(): WriteOptions {
    const { run, signal, item, session } = this.#task;
    return { fence: item.fence, run: run.id, configuration: session.configuration, signal };
  }

  async #wrote(
    last: Batch,
    result: WriteResult,
    { rejected, skipped }: { readonly rejected: number; readonly skipped: number },
  ): Promise<void> {
    this.progressed = true;
    this.#item = {
      ...this.#item,
      position: last.after,
      attempts: 0,
      rows: this.#item.rows + result.rows,
      bytes: this.#item.bytes + result.bytes,
      quarantined: this.#item.quarantined + result.quarantined + rejected,
      skipped: this.#item.skipped + skipped,
      ...(last.sourceTime !== undefined && { sourceTime: last.sourceTime }),
    };
    await this.#saveSometimes();
    const fault = budgetFault(this.#task.stream.stream, this.#item, this.#task.session.fields.error_handling);
    if (fault) throw fault;
  }

  #piped(batch: RowBatch): PipedBatch | Promise<PipedBatch> {
    const bound = this.#pipelineOf(batch.schema);
    if (bound === undefined) return { batch, rejected: [], skipped: 0 };
    return bound.run(batch, { load: this.#slice.load !== undefined });
  }

  #pipelineOf(schema: StreamSchema): BoundPipeline | undefined {
    if (!this.#pipelines.has(schema)) {
      const planned = [...this.#task.followed, this.#task.stream.schema].find(({ stream }) => stream === schema.stream);
      if (planned) refuseNewShape(this.#task.session.fields, planned, schema);
      this.#pipelines.set(schema, boundTo(this.#task.session, schema));
    }
    return this.#pipelines.get(schema);
  }

  async #prepare(schema: StreamSchema): Promise<void> {
    if (this.#prepared.get(schema.stream) === schema) return;
    const { changes } = await this.#task.session.destination.prepare(this.#slice, schema);
    this.#prepared.set(schema.stream, schema);
    const changed = this.#task.stream.stream !== FEED && schema !== this.#task.stream.schema;
    this.#item = {
      ...this.#item,
      changes: [...new Set([...this.#item.changes, ...changes])],
      ...(changed && { schema }),
    };
  }

  async #saveSometimes(): Promise<void> {
    if (this.#context.ports.clock.now() - this.#savedAt < SAVE_INTERVAL_MS) return;
    await this.#save(this.#item);
  }

  async #leave(state: 'done' | 'more' | 'stopped'): Promise<'done' | 'more' | 'stopped'> {
    const { lease: _lease, fault: _fault, ...free } = this.#item;
    await this.#save({ ...free, done: state === 'done' });
    return state;
  }

  async #save(next: SliceItem): Promise<void> {
    const { key, item, run, session, stream } = this.#task;
    const expiresAt = run.createdAt + RUN_RETENTION_MS;
    await update<SliceItem>(
      this.#context.ports.state,
      key,
      (current) => {
        if (current?.lease?.owner !== item.lease?.owner) throw leaseLost(stream.stream);
        const lease = next.lease && current?.lease;
        return { ...next, ...(lease && { lease }) };
      },
      expiresAt,
    );
    this.#savedAt = this.#context.ports.clock.now();
    if (stream.stream === FEED && next.position) await session.source.feed?.acknowledge(next.position);
  }
}

async function* readNothing(): AsyncGenerator<Batch> {
  // Every stream has failed: the feed stays where it is.
}

/** Somebody else has taken the slice over; what this worker knows about it is outdated. */
function leaseLost(stream: string): Fault {
  return new Fault('lost', 'lease_lost', `syncing ${stream}: another worker has taken over`);
}

function checkPosition(position: Position, stream: string): void {
  const bytes = JSON.stringify(position).length;
  if (bytes <= MAX_POSITION_BYTES) return;
  throw new Fault('bug', 'position_too_large', `reading ${stream}: a position of ${bytes} bytes was given`);
}

function unable(stream: string, what: string): Fault {
  return new Fault('bug', 'unsupported_read', `syncing ${stream}: this connector gives no way for it to ${what}`);
}
