import type { Partitions } from '../core/connector';
import type { Fault } from '../core/fault';
import { INCREMENT, type Position } from '../core/position';
import { FINAL_STATES } from '../core/run';
import type { StreamSchema } from '../core/schema';
import { type EngineContext, newLease, parallelOf } from './context';
import { budgetFault, totalOf } from './failure-budget';
import { boundTo } from './open-pipeline';
import { json, list, read, update } from './records';
import { backoffMs, retryPolicyOf } from './retry';
import { searchableStreams } from './searchable';
import type { Session } from './sessions';
import { FEED, keys, LOADED, RUN_RETENTION_MS, type RunItem, type SliceItem, type StreamItem, UNLOADED } from './state';
import { nextFence } from './tasks';

const MOST_RESTARTS = 50;
const SEVERAL_MOMENTS =
  'it did not fit into the time of one function, so it was read in the order of its key: rows may be of different moments; a cursor column (sync_strategy) brings it to one';

/** Changes a stream of a run, but only while `holder` (the item as it was claimed) still holds its lease. */
async function changeHeld(
  context: EngineContext,
  run: RunItem,
  holder: StreamItem,
  change: (current: StreamItem) => StreamItem,
): Promise<void> {
  await update<StreamItem>(
    context.ports.state,
    keys.stream(run.id, holder.stream),
    (current) => {
      if (current === undefined || current.lease?.owner !== holder.lease?.owner) return undefined;
      const { lease: _lease, ...free } = change(current);
      return free;
    },
    run.createdAt + RUN_RETENTION_MS,
  );
}

/** Gives a claimed stream back as it is. */
export function releaseStream(context: EngineContext, run: RunItem, stream: StreamItem): Promise<void> {
  return changeHeld(context, run, stream, (current) => current);
}

/** Decides what the slices of a stream are, and where they write; gives how many there are. */
export async function prepareStream(
  context: EngineContext,
  run: RunItem,
  stream: StreamItem,
  session: Session,
  signal: AbortSignal,
): Promise<number> {
  if (stream.stream === FEED) {
    await changeHeld(context, run, stream, (current) => ({ ...current, parts: [null] }));
    return 1;
  }
  const position = stream.mode === 'full' ? undefined : await storedPosition(context, run, stream, session);
  if (position && stream.restarts === 0 && isOfMode(position, stream)) {
    const parts = stream.mode === 'incremental' ? [null] : [];
    const indexed = await indexForSearch(run, stream, session);
    await changeHeld(context, run, stream, (current) => ({
      ...current,
      parts,
      changes: [...new Set([...current.changes, ...indexed])],
    }));
    return parts.length;
  }
  const nothingYet = position === undefined && stream.restarts === 0 && stream.mode !== 'full';
  const skip = nothingYet && session.fields.sync_strategy?.initial_sync === 'none';
  return prepareLoad(context, run, stream, session, skip, signal);
}

async function storedPosition(context: EngineContext, run: RunItem, stream: StreamItem, session: Session) {
  const key = { integration: run.integration, stream: stream.stream, partition: INCREMENT };
  return session.destination.claim(key, await nextFence(context, run.integration, stream.stream));
}

/** What a document newly wants to be searched is indexed also where nothing is written in this run. */
async function indexForSearch(run: RunItem, stream: StreamItem, session: Session): Promise<readonly string[]> {
  if (!Object.hasOwn(searchableStreams(session.fields), stream.stream)) return [];
  const key = { integration: run.integration, stream: stream.stream, partition: INCREMENT };
  return (await session.destination.prepare(key, outputOf(session, stream.schema))).changes;
}

/** A position that another mode has left, or a gap in the changes, says nothing to this one: the stream is read anew. */
function isOfMode(position: Position, stream: StreamItem): boolean {
  if (position.format === UNLOADED.format) return false;
  return (position.format === LOADED.format) === (stream.mode === 'changes');
}

/** Plans a full read into a shadow table; `skip`: only notes where what is new begins. */
async function prepareLoad(
  context: EngineContext,
  run: RunItem,
  stream: StreamItem,
  session: Session,
  skip: boolean,
  signal: AbortSignal,
): Promise<number> {
  const { partitions } = session.source;
  // A snapshot that no later increment repairs serves only the process that holds it: one slice, reserved for it.
  const alone = !context.options.exclusive && !isRepairable(stream);
  const serial = session.pipeline?.isSerial(stream.stream) === true;
  const most = serial ? 1 : parallelOf(context, run);
  const request = {
    stream: stream.schema,
    signal,
    ...(stream.cursor && { cursor: stream.cursor }),
    // Functions end by their time limit: what did not fit into one the first time will not the second time.
    ...(alone && stream.restarts > 0 && { resumable: true as const }),
  };
  const plan = (want: number): Promise<Partitions> | Partitions =>
    partitions ? partitions.call(session.source, { ...request, want }) : { parts: [null] };
  const first = await plan(alone ? 1 : most);
  const planned = alone && first.resumable && most > 1 ? await plan(most) : first;
  const { parts, after = stream.after, resumable } = planned;
  if (skip && after) {
    const key = { integration: run.integration, stream: stream.stream, partition: INCREMENT };
    await session.destination.prepare(key, outputOf(session, stream.schema));
    await session.destination.seed(key, after);
    await changeHeld(context, run, stream, (current) => ({ ...current, parts: [] }));
    return 0;
  }
  const load = `${run.id}.${stream.restarts}`;
  await forgetOldLoad(context, run, stream, session, load);
  const reserved = alone && !resumable && { reserved: newLease(context) };
  await changeHeld(context, run, stream, ({ reserved: _former, ...current }) => ({
    ...current,
    parts,
    load,
    attempts: 0,
    ...(after && { after }),
    ...reserved,
    ...(resumable && request.resumable && { notes: [...new Set([...current.notes, SEVERAL_MOMENTS])] }),
  }));
  return parts.length;
}

/**
 * Whether an increment or the feed reads again what changes during a full read of the stream. A stream that is always
 * read fully has a cursor at most for later: nothing would repair its load.
 */
export function isRepairable(stream: StreamItem): boolean {
  return stream.mode === 'changes' || (stream.mode === 'incremental' && stream.cursor !== undefined);
}

/** Remembers which load is being filled, so that the remains of one that never ended are removed by the next. */
async function forgetOldLoad(
  context: EngineContext,
  run: RunItem,
  stream: StreamItem,
  session: Session,
  load: string,
): Promise<void> {
  const key = keys.load(run.integration, stream.stream);
  const old = await read<string>(context.ports.state, key);
  if (old && old.value !== load) await session.destination.discard(stream.stream, old.value);
  await context.ports.state.put(key, load, undefined);
}

/** Publishes a stream's load when it had one, and marks the stream as done. */
export async function finishStream(
  context: EngineContext,
  run: RunItem,
  stream: StreamItem,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  const slices = await slicesOf(context, run, stream);
  const published = stream.load === undefined || stream.catchUp !== undefined;
  const notes = published ? [] : await publish(context, run, stream, slices, session, signal);
  if (!published && stream.mode === 'incremental' && slices.some((slice) => slice.resumed)) {
    await addCatchUp(context, run, stream, notes);
    return;
  }
  await changeHeld(context, run, stream, (current) => ({
    ...withoutFault(current),
    state: 'succeeded',
    notes: [...current.notes, ...notes],
    changes: [...new Set([...current.changes, ...slices.flatMap((slice) => slice.changes)])],
    finishedAt: context.ports.clock.now(),
  }));
}

/** A load that was interrupted stands on several snapshots; one increment at once makes it a single state. */
async function addCatchUp(context: EngineContext, run: RunItem, stream: StreamItem, notes: readonly string[]) {
  await changeHeld(context, run, stream, (current) => ({
    ...current,
    notes: [...current.notes, ...notes],
    parts: [...(current.parts ?? []), null],
    catchUp: current.parts?.length ?? 0,
  }));
}

async function publish(
  context: EngineContext,
  run: RunItem,
  stream: StreamItem,
  slices: readonly SliceItem[],
  session: Session,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const load = stream.load ?? '';
  const schema = slices.find((slice) => slice.schema)?.schema ?? outputOf(session, stream.schema);
  const fault = budgetFault(stream.stream, totalOf(slices), session.fields.error_handling);
  if (fault) throw fault;
  const key = { integration: run.integration, stream: stream.stream, partition: '0', load };
  // A stream without any batch has no shadow table yet.
  if (slices.every((slice) => slice.position === undefined)) await session.destination.prepare(key, schema);
  const { after } = stream;
  const { notes } = await session.destination.publish(schema, load, { signal, ...(after && { next: after }) });
  await context.ports.state.delete(keys.load(run.integration, stream.stream));
  return notes;
}

/** The shape in which records of a stream are stored. */
function outputOf(session: Session, schema: StreamSchema): StreamSchema {
  return boundTo(session, schema)?.output ?? schema;
}

/** What was retried with success is no fault of the stream any more. */
function withoutFault({ fault: _fault, ...stream }: StreamItem): StreamItem {
  return stream;
}

/** The slices of a stream's current attempt. */
async function slicesOf(context: EngineContext, run: RunItem, stream: StreamItem): Promise<SliceItem[]> {
  const prefix = keys.slicePrefix(stream.stream, stream.restarts);
  return (await list<SliceItem>(context.ports.state, keys.parts(run.id), { prefix })).map((slice) => slice.value);
}

/** What becomes of a stream that failed while it was prepared or finished. */
export async function streamFailed(
  context: EngineContext,
  run: RunItem,
  stream: StreamItem,
  fault: Fault,
): Promise<void> {
  const attempts = stream.attempts + 1;
  const policy = retryPolicyOf(context, run, fault);
  if (fault.kind === 'lost' && fault.code !== 'fenced') return restartStream(context, run, stream, fault);
  if (!policy.allows(attempts)) return giveUp(context, run, stream, fault);
  await changeHeld(context, run, stream, (current) => ({
    ...current,
    attempts,
    retries: current.retries + 1,
    fault: fault.record(),
    retryAt: context.ports.clock.now() + policy.waitMs(attempts),
  }));
}

/** Ends a stream with a fault; its unfinished load is removed by the next run. */
export async function giveUp(context: EngineContext, run: RunItem, stream: StreamItem, fault: Fault): Promise<void> {
  await endStream(context, run, stream.stream, 'failed', fault, stream.restarts);
}

/** Puts a stream that is not final yet into a final state; with `restarts`, only while it is still in that attempt. */
export async function endStream(
  context: EngineContext,
  run: RunItem,
  stream: string,
  state: 'failed' | 'cancelled',
  fault?: Fault,
  restarts?: number,
): Promise<void> {
  await update<StreamItem>(
    context.ports.state,
    keys.stream(run.id, stream),
    (current) => {
      if (current === undefined || FINAL_STATES.includes(current.state)) return undefined;
      if (restarts !== undefined && current.restarts !== restarts) return undefined;
      const { lease: _lease, ...free } = current;
      return { ...free, state, finishedAt: context.ports.clock.now(), ...(fault && { fault: fault.record() }) };
    },
    run.createdAt + RUN_RETENTION_MS,
  );
}

/** Begins a stream's full read anew, because the snapshot or the position it stood on is gone. */
export async function restartStream(
  context: EngineContext,
  run: RunItem,
  stream: StreamItem,
  fault: Fault,
): Promise<void> {
  if (stream.restarts >= MOST_RESTARTS || stream.stream === FEED) return giveUp(context, run, stream, fault);
  context.ports.log.info('reading a stream from its beginning', { stream: stream.stream, reason: fault.message });
  await update<StreamItem>(
    context.ports.state,
    keys.stream(run.id, stream.stream),
    (current) => {
      if (current === undefined || current.state !== 'running' || current.restarts !== stream.restarts)
        return undefined;
      const { parts: _parts, load: _load, catchUp: _catchUp, lease: _lease, ...rest } = current;
      const restarts = current.restarts + 1;
      // The first time at once; what is lost again and again is tried less and less often.
      const wait = restarts > 1 ? backoffMs(restarts, context.ports.random()) : 0;
      const notes = [...new Set([...current.notes, fault.message])];
      return { ...rest, restarts, attempts: 0, retryAt: context.ports.clock.now() + wait, notes };
    },
    run.createdAt + RUN_RETENTION_MS,
  );
}

/** Stores a stream of a run as it was decided, unless it is there already. */
export async function addStream(context: EngineContext, run: RunItem, stream: StreamItem): Promise<void> {
  const { state } = context.ports;
  const expiresAt = run.createdAt + RUN_RETENTION_MS;
  const final = stream.state === 'failed';
  if (!final) await state.put(keys.open(run.id, stream.stream), true, undefined, expiresAt);
  await state.put(keys.stream(run.id, stream.stream), json(stream), 'absent', expiresAt);
}
