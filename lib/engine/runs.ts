import { Fault } from '../core/fault';
import { FINAL_STATES, type RunState } from '../core/run';
import type { SyncRequest } from '../core/service';
import type { EngineContext } from './context';
import { create, json, list, read, type Stored, update } from './records';
import {
  type IntegrationItem,
  integrationOf,
  keys,
  REMOVING,
  RUN_RETENTION_MS,
  type RunItem,
  runId,
  type SliceItem,
  type StreamItem,
} from './state';

const DEAD_LETTERS = 1000;

/** How long an idempotency key is known. */
export const IDEMPOTENCY_MS = 24 * 3600 * 1000;

/** Reads a run. @throws Fault `config`/`not_found` */
export async function loadRun(context: EngineContext, id: string): Promise<RunItem> {
  const stored = integrationOf(id) === '' ? undefined : await read<RunItem>(context.ports.state, keys.run(id));
  if (stored === undefined) {
    throw new Fault('config', 'not_found', `reading run ${id}: there is no such run`, {
      hint: 'List the runs of the integration; runs are kept for 30 days.',
    });
  }
  return stored.value;
}

/** Changes a run that is not final. */
export async function changeRun(
  context: EngineContext,
  id: string,
  change: (run: RunItem) => RunItem,
): Promise<RunItem | undefined> {
  return (await updateRun(context, id, change)).value;
}

function updateRun(context: EngineContext, id: string, change: (run: RunItem) => RunItem) {
  return update<RunItem>(
    context.ports.state,
    keys.run(id),
    (run) => (run === undefined || FINAL_STATES.includes(run.state) ? undefined : change(run)),
    (run) => run.createdAt + RUN_RETENTION_MS,
  );
}

/**
 * Starts a run, or lets it wait for the one that goes on.
 * A key is known for `rememberedMs`.
 * @throws Fault `config`/`run_active` naming the run that goes on
 */
export async function requestRun(
  context: EngineContext,
  integration: string,
  stored: IntegrationItem,
  request: SyncRequest,
  rememberedMs = IDEMPOTENCY_MS,
): Promise<RunItem> {
  const { clock, random } = context.ports;
  const run = newRun(runId(integration, clock.now(), random()), integration, stored, request, clock.now());
  if (request.idempotencyKey === undefined) return startRun(context, run, request);
  const key = keys.idempotency(integration, request.idempotencyKey);
  const { value: id } = await update<string>(
    context.ports.state,
    key,
    (known) => (known === undefined ? run.id : undefined),
    clock.now() + rememberedMs,
  );
  const known = await read<RunItem>(context.ports.state, keys.run(id ?? run.id));
  if (known) return resume(context, known.value);
  try {
    return await startRun(context, { ...run, id: id ?? run.id }, request);
  } catch (error) {
    // A refused request may be repeated; after any other error the run may have begun, and a repetition finds it.
    if (error instanceof Fault && error.code === 'run_active') await context.ports.state.delete(key);
    throw error;
  }
}

/** A run as it begins, by the document that is stored. */
export function newRun(
  id: string,
  integration: string,
  stored: IntegrationItem,
  request: SyncRequest,
  now: number,
): RunItem {
  return {
    id,
    integration,
    document: stored.document,
    ...(request.type !== undefined && { requested: request.type }),
    trigger: request.trigger,
    state: 'queued',
    createdAt: now,
    planned: false,
    attempts: 0,
    retryAt: 0,
    retries: 0,
    cancelRequested: false,
    rows: 0,
    bytes: 0,
    slices: 0,
    quarantined: 0,
    skipped: 0,
  };
}

/** Stores a run and lets it begin, or wait for the one that goes on. Repeating it does no harm. */
export async function startRun(context: EngineContext, run: RunItem, request: SyncRequest): Promise<RunItem> {
  const { state } = context.ports;
  await create(state, keys.run(run.id), run, run.createdAt + RUN_RETENTION_MS);
  const active = await activate(context, run);
  if (active === run.id) return unlessRemoved(context, run);
  if (request.whenRunning === 'queue') {
    await state.put(keys.queuedRun(run.integration, run.id), true, undefined, run.createdAt + RUN_RETENTION_MS);
    await unlessRemoved(context, run);
    // The other run may have ended in between, and would then not see this one.
    await promote(context, run.integration);
    return run;
  }
  await state.delete(keys.run(run.id));
  throw new Fault('config', 'run_active', `starting a sync of ${run.integration}: run ${active} is going on`, {
    hint: `Wait for ${active}, cancel it, or ask for the sync to be queued.`,
    run: active,
  });
}

/** The integration may have been removed while the run was on its way to begin. */
async function unlessRemoved(context: EngineContext, run: RunItem): Promise<RunItem> {
  const { state } = context.ports;
  if (await state.get(keys.integration(run.integration))) return run;
  if (await state.get(keys.run(run.id))) await cancelRun(context, run.id);
  throw new Fault('config', 'not_found', `starting a sync of ${run.integration}: it was removed in the meantime`);
}

/** A repeated request: the first one may have been interrupted before the run was sent to the workers. */
export async function resume(context: EngineContext, run: RunItem): Promise<RunItem> {
  const active = await read<string>(context.ports.state, keys.active(run.integration));
  if (active?.value === run.id) await context.ports.queue.send([{ body: { run: run.id }, group: run.integration }]);
  return run;
}

/** Sends a run that has not ended to the workers, or lets it wait for the active one; gives the active run's id. */
export async function sendAgain(context: EngineContext, run: RunItem): Promise<string> {
  const active = await activate(context, run);
  if (active === run.id) return active;
  const key = keys.queuedRun(run.integration, run.id);
  await context.ports.state.put(key, true, undefined, run.createdAt + RUN_RETENTION_MS);
  // The other run may have ended in between, and would then not see this one.
  await promote(context, run.integration);
  return active;
}

/** Makes `run` the active one when there is none, and sends it to the workers; gives the active run's id. */
async function activate(context: EngineContext, run: RunItem): Promise<string> {
  const { state, queue } = context.ports;
  const key = keys.active(run.integration);
  const { value, changed } = await update<string>(state, key, (current) =>
    current === undefined ? run.id : undefined,
  );
  if (!changed && value !== run.id) return value ?? run.id;
  await queue.send([{ body: { run: run.id }, group: run.integration }]);
  return run.id;
}

/** Starts the oldest run that waits, when none is active. */
export async function promote(context: EngineContext, integration: string): Promise<void> {
  const { state } = context.ports;
  for (const waiting of await list(state, keys.queuedRuns(integration))) {
    const stored = await read<RunItem>(state, keys.run(waiting.key.sort));
    const startable = stored !== undefined && !FINAL_STATES.includes(stored.value.state);
    if (startable && (await activate(context, stored.value)) !== stored.value.id) return;
    await state.delete(waiting.key);
    if (startable) return;
  }
}

/** Asks a run to stop. A run that only waits ends at once; one that goes on stops at its next batch. */
export async function cancelRun(context: EngineContext, id: string): Promise<RunItem> {
  const before = await loadRun(context, id);
  const run = (await changeRun(context, id, (current) => ({ ...current, cancelRequested: true }))) ?? before;
  context.cancellations.get(id)?.abort();
  const active = await read<string>(context.ports.state, keys.active(run.integration));
  if (active?.value === id) {
    await context.ports.queue.send([{ body: { run: id }, group: run.integration }]);
    return run;
  }
  if (FINAL_STATES.includes(run.state)) return run;
  await context.ports.state.delete(keys.queuedRun(run.integration, id));
  const ended = await endRun(context, run, await streamsOf(context, id), 'cancelled');
  tellSettled(context, id);
  return ended ?? run;
}

/** Puts a run whose streams are all final into its own final state, and lets the next one begin. Idempotent. */
export async function settleRun(context: EngineContext, run: RunItem): Promise<void> {
  if (!FINAL_STATES.includes(run.state)) {
    const streams = await streamsOf(context, run.id);
    await endRun(context, run, streams, overall(run, streams));
  }
  await release(context, run);
}

/** Frees the integration for its next run. */
export async function release(context: EngineContext, run: RunItem): Promise<void> {
  const { state } = context.ports;
  const active = await read<string>(state, keys.active(run.integration));
  if (active?.value === run.id) await state.delete(active.key, active.revision);
  await context.sessions.end(run.id);
  context.cancellations.delete(run.id);
  await promote(context, run.integration);
  tellSettled(context, run.id);
}

function tellSettled(context: EngineContext, id: string): void {
  for (const tell of context.settled.get(id) ?? []) tell();
}

async function endRun(
  context: EngineContext,
  run: RunItem,
  streams: readonly StreamItem[],
  state: RunState,
  fault?: Fault,
) {
  const sums = await countsOf(context, run.id, streams);
  const first = streams.find((stream) => stream.fault)?.fault;
  const { value: ended, changed } = await updateRun(context, run.id, ({ fault: _retried, ...current }) => ({
    ...current,
    ...sums,
    retries: current.retries + sums.retries,
    state,
    finishedAt: context.ports.clock.now(),
    ...(fault ? { fault: fault.record() } : first && { fault: first }),
  }));
  // Of those that end a run at the same time only one has changed it.
  if (changed && ended !== undefined) context.ports.ended?.(ended);
  return ended;
}

/** Ends a run that could not even be planned. */
export async function failRun(context: EngineContext, run: RunItem, fault: Fault): Promise<void> {
  await endRun(context, run, await streamsOf(context, run.id), 'failed', fault);
  await release(context, run);
}

function overall(run: RunItem, streams: readonly StreamItem[]): RunState {
  const failed = streams.filter((stream) => stream.state === 'failed').length;
  if (streams.some((stream) => stream.state === 'cancelled')) return 'cancelled';
  if (run.cancelRequested && streams.length === 0) return 'cancelled';
  if (failed === 0) return 'succeeded';
  return failed === streams.length ? 'failed' : 'partial';
}

/** All streams of a run, in the order of their names. */
export async function streamsOf(context: EngineContext, run: string): Promise<StreamItem[]> {
  const stored = await list<StreamItem>(context.ports.state, keys.parts(run), { prefix: keys.streamPrefix });
  return stored.map((item) => item.value).sort((left, right) => (left.stream < right.stream ? -1 : 1));
}

/** The slices of a run's streams, by stream; those of attempts that were given up are left out. */
export async function slicesByStream(
  context: EngineContext,
  run: string,
  streams: readonly StreamItem[],
): Promise<Map<string, SliceItem[]>> {
  const result = new Map<string, SliceItem[]>(streams.map(({ stream }) => [stream, []]));
  const prefixes = new Map(streams.map((item) => [keys.slicePrefix(item.stream, item.restarts), item.stream]));
  for (const { key, value } of await list<SliceItem>(context.ports.state, keys.parts(run), { prefix: 'slice/' })) {
    const stream = prefixes.get(key.sort.slice(0, key.sort.lastIndexOf('/') + 1));
    if (stream !== undefined) result.get(stream)?.push(value);
  }
  return result;
}

async function countsOf(context: EngineContext, run: string, streams: readonly StreamItem[]) {
  const slices = [...(await slicesByStream(context, run, streams)).values()].flat();
  const sum = (pick: (slice: SliceItem) => number) => slices.reduce((total, slice) => total + pick(slice), 0);
  return {
    rows: sum((slice) => slice.rows),
    bytes: sum((slice) => slice.bytes),
    slices: slices.length,
    quarantined: sum((slice) => slice.quarantined),
    skipped: sum((slice) => slice.skipped ?? 0),
    retries: sum((slice) => slice.retries) + streams.reduce((total, stream) => total + stream.retries, 0),
  };
}

/**
 * Finds what an interruption left behind: active runs without a message, runs that wait while none is active, runs that
 * were stored but never began. Sends each to the workers again; doing so twice does no harm.
 */
export async function recoverRuns(context: EngineContext, integrations: readonly string[]): Promise<void> {
  const { state, queue } = context.ports;
  // Every run that goes on is sent again here, so what was received too often need not be kept.
  if (context.options.exclusive) {
    for (const letter of await queue.deadLetters(DEAD_LETTERS)) await queue.acknowledge(letter.receipt);
  }
  const active: Stored<string>[] = [];
  for (const item of await list<string>(state, 'active')) {
    // A removal that was interrupted has to be asked for again.
    if (item.value === REMOVING) await state.delete(item.key, item.revision);
    else active.push(item);
  }
  await queue.send(active.map((item) => ({ body: { run: item.value }, group: item.key.sort })));
  for (const integration of integrations) {
    const recent = await list<RunItem>(state, keys.runs(integration), { reverse: true, limit: 50 });
    for (const { value: run } of recent) {
      if (run.state !== 'queued' || active.some((item) => item.value === run.id)) continue;
      await state.put(keys.queuedRun(integration, run.id), json(true), undefined, run.createdAt + RUN_RETENTION_MS);
    }
    await promote(context, integration);
  }
}
