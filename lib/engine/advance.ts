import { Fault, toFault } from '../core/fault';
import type { Delivery } from '../core/ports';
import { FINAL_STATES } from '../core/run';
import type { StreamSchema } from '../core/schema';
import { callOthers, cancellation, type EngineContext, parallelOf } from './context';
import { leaveOut } from './follow';
import { type Heartbeat, startHeartbeat } from './heartbeat';
import { planRun } from './plan-run';
import { keepBounds } from './quarantine-bounds';
import { read, update } from './records';
import { retryPolicyOf } from './retry';
import { changeRun, failRun, release, settleRun, streamsOf } from './runs';
import type { Session } from './sessions';
import { runSlice, type SliceOutcome } from './slice';
import { FEED, integrationOf, keys, RUN_RETENTION_MS, type RunItem, type SliceItem, streamOf } from './state';
import { endStream, finishStream, giveUp, prepareStream, releaseStream, restartStream, streamFailed } from './streams';
import { type Claimed, nextTask, type SearchStart, type Task } from './tasks';

/** What becomes of the message that brought a worker to a run. */
type Next = { readonly again: false } | { readonly again: true; readonly delayMs: number };

const DONE: Next = { again: false };

/**
 * Takes one message about a run and advances the run as far as it goes: plans it, and then claims one piece of work
 * after another until nothing is left for this worker. Every step is idempotent, so a message may come twice, and
 * another worker may have died in the middle of any of them.
 */
export async function advance(context: EngineContext, delivery: Delivery, stop: AbortSignal): Promise<void> {
  const { queue } = context.ports;
  const id = (delivery.body as { readonly run: string }).run;
  const beat = startHeartbeat(context, id, delivery);
  try {
    const next = await advanceRun(context, id, beat, stop);
    const message = { body: { run: id }, group: integrationOf(id) };
    if (next.again) await queue.send([{ ...message, delayMs: next.delayMs }]);
    await queue.acknowledge(delivery.receipt);
  } finally {
    beat.end();
  }
}

async function advanceRun(context: EngineContext, id: string, beat: Heartbeat, stop: AbortSignal): Promise<Next> {
  const { state, clock } = context.ports;
  const run = (await read<RunItem>(state, keys.run(id)))?.value;
  if (run === undefined) return forgetRun(context, id);
  if (FINAL_STATES.includes(run.state)) {
    await release(context, run);
    return DONE;
  }
  if (run.retryAt > clock.now() && !run.cancelRequested) return { again: true, delayMs: run.retryAt - clock.now() };
  const deadline = clock.now() + context.options.workBudgetMs;
  const signal = AbortSignal.any([stop, cancellation(context, id)]);
  const workers = context.workers.get(id) ?? 0;
  if (workers >= parallelOf(context, run)) return DONE;
  context.workers.set(id, workers + 1);
  try {
    if (!run.planned && !run.cancelRequested) await planRun(context, run, signal);
    return await workOn(context, id, beat, { stop, signal, deadline });
  } catch (error) {
    return await runFailed(context, id, toFault(error, `syncing ${run.integration}`), stop);
  } finally {
    leave(context, id);
  }
}

function leave(context: EngineContext, id: string): void {
  const left = (context.workers.get(id) ?? 1) - 1;
  if (left === 0) context.workers.delete(id);
  else context.workers.set(id, left);
}

/** The run is gone, removed with its integration or too old: it must not stand in the way of others. */
async function forgetRun(context: EngineContext, id: string): Promise<Next> {
  context.ports.log.warn('a message names a run that is not known; it is dropped', { run: id });
  const active = await read<string>(context.ports.state, keys.active(integrationOf(id)));
  if (active?.value === id) await context.ports.state.delete(active.key, active.revision);
  return DONE;
}

interface Limits {
  readonly stop: AbortSignal;
  readonly signal: AbortSignal;
  readonly deadline: number;
}

async function workOn(context: EngineContext, id: string, beat: Heartbeat, limits: Limits): Promise<Next> {
  const { state, clock } = context.ports;
  const start: SearchStart = {};
  for (;;) {
    const run = (await read<RunItem>(state, keys.run(id)))?.value;
    if (run === undefined || FINAL_STATES.includes(run.state)) return DONE;
    if (run.cancelRequested) return cancelAll(context, run);
    if (limits.stop.aborted || clock.now() >= limits.deadline) return { again: true, delayMs: 0 };
    const task = await nextTask(context, run, parallelOf(context, run), start);
    if (task.kind === 'wait') return { again: true, delayMs: Math.max(0, task.until - clock.now()) };
    if (task.kind === 'none') return endIfComplete(context, run, limits.signal);
    if (task.kind === 'close') await state.delete(keys.open(id, task.stream.stream));
    else if (!(await perform(context, run, task, beat, limits))) return { again: true, delayMs: 0 };
    if (run.attempts > 0) await changeRun(context, id, (current) => ({ ...current, attempts: 0 }));
  }
}

async function endIfComplete(context: EngineContext, run: RunItem, signal: AbortSignal): Promise<Next> {
  const open = await context.ports.state.query(keys.parts(run.id), { prefix: keys.openPrefix, limit: 1 });
  if (open.length > 0) return DONE;
  await keepBounds(context, run, signal);
  await settleRun(context, run);
  return DONE;
}

async function cancelAll(context: EngineContext, run: RunItem): Promise<Next> {
  await endOpenStreams(context, run, 'cancelled');
  await settleRun(context, run);
  return DONE;
}

async function endOpenStreams(context: EngineContext, run: RunItem, state: 'failed' | 'cancelled', fault?: Fault) {
  const open = await context.ports.state.query(keys.parts(run.id), { prefix: keys.openPrefix });
  for (const marker of open) {
    await endStream(context, run, streamOf(marker.sort), state, fault);
    await context.ports.state.delete(marker);
  }
}

/** Does one claimed piece of work; gives whether this worker may go on with another. */
async function perform(
  context: EngineContext,
  run: RunItem,
  task: Claimed,
  beat: Heartbeat,
  limits: Limits,
): Promise<boolean> {
  const lost = new AbortController();
  const signal = AbortSignal.any([limits.signal, lost.signal]);
  beat.hold(run, task, lost);
  let opened = false;
  try {
    return await context.sessions.use(run.id, run.document, (session) => {
      opened = true;
      return task.kind === 'slice'
        ? workSlice(context, run, task, session, { ...limits, signal })
        : workStream(context, run, task, session, signal);
    });
  } finally {
    beat.letGo();
    if (!opened) await freeTask(context, run, task);
  }
}

/** Gives a claimed piece of work back untouched, when what it needs could not be opened. */
async function freeTask(context: EngineContext, run: RunItem, task: Claimed): Promise<void> {
  if (task.kind === 'slice') await freeSlice(context, run, task, {});
  else await releaseStream(context, run, task.stream);
}

async function workStream(
  context: EngineContext,
  run: RunItem,
  task: Claimed,
  session: Session,
  signal: AbortSignal,
): Promise<boolean> {
  const { stream } = task;
  try {
    if (task.kind === 'prepare') {
      const slices = await prepareStream(context, run, stream, session, signal);
      if (slices > 1) await callOthers(context, run);
    } else await finishStream(context, run, stream, session, signal);
  } catch (error) {
    if (signal.aborted) {
      await releaseStream(context, run, stream);
      return false;
    }
    await streamFailed(context, run, stream, toFault(error, `syncing ${stream.stream}`));
  }
  return true;
}

async function workSlice(
  context: EngineContext,
  run: RunItem,
  task: Extract<Task, { readonly kind: 'slice' }>,
  session: Session,
  limits: Limits,
): Promise<boolean> {
  const { stream, index, item } = task;
  const key = keys.slice(run.id, stream.stream, stream.restarts, index);
  const followed = stream.stream === FEED ? await followedStreams(context, run, session) : [];
  const outcome = await runSlice(context, { run, stream, index, key, item, session, followed, ...limits });
  if (outcome.state === 'done') return true;
  if (outcome.state !== 'fault') return false;
  if (limits.signal.aborted) return freeSlice(context, run, task, countsOf(outcome.item));
  await sliceFailed(context, run, task, outcome);
  return true;
}

/** Those that stand where the changes begin. One that has failed does not keep the others from going on. */
async function followedStreams(context: EngineContext, run: RunItem, session: Session): Promise<StreamSchema[]> {
  const streams = (await streamsOf(context, run.id)).filter(
    ({ mode, stream }) => mode === 'changes' && stream !== FEED,
  );
  const failed = streams.filter(({ state }) => state !== 'succeeded');
  await leaveOut(
    session,
    run.integration,
    failed.map(({ stream }) => stream),
  );
  return streams.filter(({ state }) => state === 'succeeded').map(({ schema }) => schema);
}

/** What a slice has done since it was saved last is not forgotten with the fault that ended it. */
function countsOf({ rows, bytes, quarantined, skipped, changes }: SliceItem): Partial<SliceItem> {
  return { rows, bytes, quarantined, skipped, changes };
}

async function sliceFailed(
  context: EngineContext,
  run: RunItem,
  task: Extract<Task, { readonly kind: 'slice' }>,
  { fault, progressed, item: reached }: Extract<SliceOutcome, { readonly state: 'fault' }>,
): Promise<void> {
  const { stream, item } = task;
  const attempts = (progressed ? 0 : item.attempts) + 1;
  const counts = countsOf(reached);
  const policy = retryPolicyOf(context, run, fault);
  context.ports.log.warn('a slice failed', {
    run: run.id,
    stream: stream.stream,
    kind: fault.kind,
    fault: fault.message,
  });
  if (fault.code === 'lease_lost') return;
  if (fault.code === 'bytes_rejected' && !item.rowsOnly) {
    await freeSlice(context, run, task, { ...counts, rowsOnly: true });
  } else if (fault.code === 'rows_rejected' && !item.singly) {
    await freeSlice(context, run, task, { ...counts, singly: true });
  } else if (policy.allows(attempts)) {
    const retryAt = context.ports.clock.now() + policy.waitMs(attempts);
    await freeSlice(context, run, task, { ...counts, attempts, retryAt, fault: fault.record() });
  } else {
    await freeSlice(context, run, task, counts);
    if (fault.kind === 'lost' && fault.code !== 'fenced') await restartStream(context, run, stream, fault);
    else await giveUp(context, run, stream, fault);
  }
}

/** Gives a slice back with some members changed. */
async function freeSlice(
  context: EngineContext,
  run: RunItem,
  task: Extract<Task, { readonly kind: 'slice' }>,
  change: Partial<SliceItem>,
): Promise<false> {
  const key = keys.slice(run.id, task.stream.stream, task.stream.restarts, task.index);
  await update<SliceItem>(
    context.ports.state,
    key,
    (current) => {
      if (current === undefined || current.lease?.owner !== task.item.lease?.owner) return undefined;
      const { lease: _lease, ...free } = current;
      return { ...free, ...change, retries: current.retries + (change.retryAt === undefined ? 0 : 1) };
    },
    run.createdAt + RUN_RETENTION_MS,
  );
  return false;
}

/** Ends a run whose message was received too often: whoever took it up did not live to say why. Gives whether it went on. */
export async function abandonRun(context: EngineContext, id: string): Promise<boolean> {
  const run = (await read<RunItem>(context.ports.state, keys.run(id)))?.value;
  if (run === undefined || FINAL_STATES.includes(run.state)) return false;
  const fault = new Fault('bug', 'dead_letter', `syncing ${run.integration}: the work on it ended again and again`, {
    hint: 'See the log of its function: it ran out of memory or of time, or crashed. Then start the sync again: it goes on where it stood.',
  });
  await endOpenStreams(context, run, 'failed', fault);
  await failRun(context, run, fault);
  return true;
}

/** A fault outside of any stream: the source cannot be opened or listed. */
async function runFailed(context: EngineContext, id: string, fault: Fault, stop: AbortSignal): Promise<Next> {
  const run = (await read<RunItem>(context.ports.state, keys.run(id)))?.value;
  if (run === undefined || FINAL_STATES.includes(run.state)) return DONE;
  if (stop.aborted || run.cancelRequested) return { again: true, delayMs: 0 };
  const attempts = run.attempts + 1;
  const policy = retryPolicyOf(context, run, fault);
  context.ports.log.warn('a run failed', { run: id, kind: fault.kind, fault: fault.message });
  // Also of one that is fenced: two workers may plan at the same time, after an interruption; the slower one finds all done.
  if (!policy.allows(attempts)) {
    await endOpenStreams(context, run, 'failed', fault);
    await failRun(context, run, fault);
    return DONE;
  }
  const wait = policy.waitMs(attempts);
  const retryAt = context.ports.clock.now() + wait;
  await changeRun(context, id, (current) => ({
    ...current,
    attempts,
    retries: current.retries + 1,
    retryAt,
    fault: fault.record(),
  }));
  return { again: true, delayMs: wait };
}
