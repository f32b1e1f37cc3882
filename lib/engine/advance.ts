import { type Fault, messageOf, toFault } from '../core/fault';
import type { Delivery } from '../core/ports';
import { FINAL_STATES } from '../core/run';
import { cancellation, type EngineContext, parallelOf } from './context';
import { planRun } from './plan-run';
import { read, update } from './records';
import { backoffMs } from './retry';
import { changeRun, failRun, release, settleRun } from './runs';
import type { Session } from './sessions';
import { runSlice, type SliceOutcome } from './slice';
import { keys, RUN_RETENTION_MS, type RunItem, type SliceItem, type StreamItem } from './state';
import { endStream, finishStream, giveUp, prepareStream, restartStream, streamFailed } from './streams';
import { nextTask, type Task } from './tasks';

const HEARTBEATS_PER_LEASE = 3;

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
  const next = await advanceRun(context, id, delivery, stop);
  if (next.again) {
    const group = (await read<RunItem>(context.ports.state, keys.run(id)))?.value.integration ?? id;
    await queue.send([{ body: { run: id }, group, delayMs: next.delayMs }]);
  }
  await queue.acknowledge(delivery.receipt);
}

async function advanceRun(context: EngineContext, id: string, delivery: Delivery, stop: AbortSignal): Promise<Next> {
  const { state, clock, log } = context.ports;
  const run = (await read<RunItem>(state, keys.run(id)))?.value;
  if (run === undefined) {
    log.warn('a message names a run that is not known; it is dropped', { run: id });
    return DONE;
  }
  if (FINAL_STATES.includes(run.state)) {
    await release(context, run);
    return DONE;
  }
  if (run.retryAt > clock.now()) return { again: true, delayMs: run.retryAt - clock.now() };
  const deadline = clock.now() + context.options.workBudgetMs;
  const signal = AbortSignal.any([stop, cancellation(context, id)]);
  try {
    if (!run.planned && !run.cancelRequested) await planRun(context, run, signal);
    return await workOn(context, id, delivery, { stop, signal, deadline });
  } catch (error) {
    return await runFailed(context, id, toFault(error, `syncing ${run.integration}`), stop);
  }
}

interface Limits {
  readonly stop: AbortSignal;
  readonly signal: AbortSignal;
  readonly deadline: number;
}

async function workOn(context: EngineContext, id: string, delivery: Delivery, limits: Limits): Promise<Next> {
  const { state, clock } = context.ports;
  for (;;) {
    const run = (await read<RunItem>(state, keys.run(id)))?.value;
    if (run === undefined || FINAL_STATES.includes(run.state)) return DONE;
    if (run.cancelRequested) return cancelAll(context, run);
    if (limits.stop.aborted || clock.now() >= limits.deadline) return { again: true, delayMs: 0 };
    const task = await nextTask(context, run, parallelOf(context, run));
    if (task.kind === 'wait') return { again: true, delayMs: Math.max(0, task.until - clock.now()) };
    if (task.kind === 'none') return endIfComplete(context, run);
    if (task.kind === 'close') await state.delete(keys.open(id, task.stream.stream));
    else if (!(await perform(context, run, task, delivery, limits))) return { again: true, delayMs: 0 };
    if (run.attempts > 0) await changeRun(context, id, (current) => ({ ...current, attempts: 0 }));
  }
}

async function endIfComplete(context: EngineContext, run: RunItem): Promise<Next> {
  const open = await context.ports.state.query(keys.parts(run.id), { prefix: keys.openPrefix, limit: 1 });
  if (open.length === 0) await settleRun(context, run);
  return DONE;
}

async function cancelAll(context: EngineContext, run: RunItem): Promise<Next> {
  const open = await context.ports.state.query(keys.parts(run.id), { prefix: keys.openPrefix });
  for (const marker of open) {
    await endStream(context, run, decodeURIComponent(marker.sort.slice(keys.openPrefix.length)), 'cancelled');
    await context.ports.state.delete(marker);
  }
  await settleRun(context, run);
  return DONE;
}

/** Does one claimed piece of work; gives whether this worker may go on with another. */
async function perform(
  context: EngineContext,
  run: RunItem,
  task: Extract<Task, { readonly stream: StreamItem }>,
  delivery: Delivery,
  limits: Limits,
): Promise<boolean> {
  const lost = new AbortController();
  const signal = AbortSignal.any([limits.signal, lost.signal]);
  const stopBeating = heartbeat(context, run, task, delivery, lost);
  try {
    return await context.sessions.use(run.id, run.document, (session) =>
      task.kind === 'slice'
        ? workSlice(context, run, task, session, { ...limits, signal })
        : workStream(context, run, task, session, signal),
    );
  } finally {
    stopBeating();
  }
}

async function workStream(
  context: EngineContext,
  run: RunItem,
  task: Extract<Task, { readonly stream: StreamItem }>,
  session: Session,
  signal: AbortSignal,
): Promise<boolean> {
  const { stream } = task;
  try {
    if (task.kind === 'prepare') await prepareStream(context, run, stream, session, signal);
    else await finishStream(context, run, stream, session, signal);
  } catch (error) {
    if (signal.aborted) return !(await releaseStream(context, run, stream));
    await streamFailed(context, run, stream, toFault(error, `syncing ${stream.stream}`));
  }
  return true;
}

async function releaseStream(context: EngineContext, run: RunItem, stream: StreamItem): Promise<true> {
  await update<StreamItem>(context.ports.state, keys.stream(run.id, stream.stream), (current) => {
    if (current?.lease === undefined || current.lease.owner !== stream.lease?.owner) return undefined;
    const { lease: _lease, ...free } = current;
    return free;
  });
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
  const outcome = await runSlice(context, { run, stream, index, key, item, session, ...limits });
  if (outcome.state === 'done') return true;
  if (outcome.state !== 'fault') return false;
  if (limits.signal.aborted) return freeSlice(context, run, task, {});
  await sliceFailed(context, run, task, session, outcome);
  return true;
}

async function sliceFailed(
  context: EngineContext,
  run: RunItem,
  task: Extract<Task, { readonly kind: 'slice' }>,
  session: Session,
  { fault, progressed }: Extract<SliceOutcome, { readonly state: 'fault' }>,
): Promise<void> {
  const { stream, item } = task;
  const attempts = (progressed ? 0 : item.attempts) + 1;
  context.ports.log.warn('a slice failed', {
    run: run.id,
    stream: stream.stream,
    kind: fault.kind,
    fault: fault.message,
  });
  if (fault.code === 'lease_lost') return;
  if (fault.code === 'bytes_rejected' && !item.rowsOnly) {
    await freeSlice(context, run, task, { rowsOnly: true });
  } else if (fault.kind === 'lost' && fault.code !== 'fenced') {
    await context.sessions.retire(run.id, session);
    await restartStream(context, run, stream, fault);
  } else if ((fault.kind === 'transient' || fault.code === 'fenced') && attempts < context.options.maxAttempts) {
    const wait = backoffMs(attempts, context.ports.random(), fault.retryAfterMs);
    await freeSlice(context, run, task, { attempts, retryAt: context.ports.clock.now() + wait });
  } else {
    await giveUp(context, run, stream, fault);
  }
}

/** Gives a slice back with some members changed; its counts stay what was saved last. */
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

/** Renews lease and message while a piece of work goes on, and notices a cancellation from elsewhere. */
function heartbeat(
  context: EngineContext,
  run: RunItem,
  task: Extract<Task, { readonly stream: StreamItem }>,
  delivery: Delivery,
  lost: AbortController,
): () => void {
  const { leaseMs } = context.options;
  const beat = async () => {
    await context.ports.queue.extend(delivery.receipt, leaseMs);
    if (!(await renew(context, run, task))) lost.abort();
    const current = await read<RunItem>(context.ports.state, keys.run(run.id));
    if (current?.value.cancelRequested) context.cancellations.get(run.id)?.abort();
  };
  return context.ports.every(leaseMs / HEARTBEATS_PER_LEASE, () => {
    beat().catch((error) =>
      context.ports.log.warn('renewing a lease failed', { run: run.id, error: messageOf(error) }),
    );
  });
}

async function renew(
  context: EngineContext,
  run: RunItem,
  task: Extract<Task, { readonly stream: StreamItem }>,
): Promise<boolean> {
  const { state, clock } = context.ports;
  const until = clock.now() + context.options.leaseMs;
  const held = task.kind === 'slice' ? task.item.lease : task.stream.lease;
  const key =
    task.kind === 'slice'
      ? keys.slice(run.id, task.stream.stream, task.stream.restarts, task.index)
      : keys.stream(run.id, task.stream.stream);
  const { changed } = await update<SliceItem | StreamItem>(
    state,
    key,
    (current) => {
      if (current?.lease === undefined || current.lease.owner !== held?.owner) return undefined;
      return { ...current, lease: { ...current.lease, until } };
    },
    run.createdAt + RUN_RETENTION_MS,
  );
  return changed;
}

/** A fault outside of any stream: the source cannot be opened or listed. */
async function runFailed(context: EngineContext, id: string, fault: Fault, stop: AbortSignal): Promise<Next> {
  const run = (await read<RunItem>(context.ports.state, keys.run(id)))?.value;
  if (run === undefined || FINAL_STATES.includes(run.state)) return DONE;
  if (stop.aborted || run.cancelRequested) return { again: true, delayMs: 0 };
  const attempts = run.attempts + 1;
  context.ports.log.warn('a run failed', { run: id, kind: fault.kind, fault: fault.message });
  if (fault.kind !== 'transient' || attempts >= context.options.maxAttempts) {
    await abandon(context, run, fault);
    return DONE;
  }
  const wait = backoffMs(attempts, context.ports.random(), fault.retryAfterMs);
  const retryAt = context.ports.clock.now() + wait;
  await changeRun(context, id, (current) => ({ ...current, attempts, retries: current.retries + 1, retryAt }));
  return { again: true, delayMs: wait };
}

async function abandon(context: EngineContext, run: RunItem, fault: Fault): Promise<void> {
  const open = await context.ports.state.query(keys.parts(run.id), { prefix: keys.openPrefix });
  for (const marker of open) {
    await endStream(context, run, decodeURIComponent(marker.sort.slice(keys.openPrefix.length)), 'failed', fault);
    await context.ports.state.delete(marker);
  }
  await failRun(context, run, fault);
}
