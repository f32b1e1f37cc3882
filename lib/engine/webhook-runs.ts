import { Fault } from '../core/fault';
import type { IntegrationDocument } from '../core/integration';
import { canonicalJson } from '../core/json';
import type { StateKey } from '../core/ports';
import type { SyncRequest } from '../core/service';
import type { EngineContext } from './context';
import { json, list, read, update } from './records';
import { IDEMPOTENCY_MS, newRun, resume, sendAgain, startRun } from './runs';
import { type IntegrationItem, keys, type RunItem, runId } from './state';

const REQUEST: SyncRequest = { trigger: 'webhook', whenRunning: 'queue' };
const MOST_CONFLICTS = 100;
/** Whoever announced a run and has not stored it for so long will not do it any more. */
const LONGEST_MAKING_MS = 60_000;

/** The run that a call leads to; `joined`: another call or request has asked for it. */
export interface RequestedRun {
  readonly run: RunItem;
  readonly joined: boolean;
}

/** The run that was announced last: whoever comes at the same time joins it instead of making another. */
interface Announced {
  readonly run: string;
  readonly at: number;
}

/** A run that a call may join, and what was there when that was found out. */
interface Waiting {
  readonly run: RunItem;
  /** It would not begin by itself: whoever made it was interrupted, or is not done with it. */
  readonly isStuck: boolean;
}

/**
 * Finds or starts the run of a call: one that has not begun to read yet. That is one that waits for its turn, else a new
 * one. A call that comes again, by its idempotency key, gets the run that it got first.
 */
export async function requestWebhookRun(
  context: EngineContext,
  integration: string,
  stored: IntegrationItem,
  idempotencyKey: string | undefined,
): Promise<RequestedRun> {
  const { clock, random, state } = context.ports;
  const now = clock.now();
  const own = newRun(runId(integration, now, random()), integration, stored, REQUEST, now);
  if (idempotencyKey === undefined) return joinOrStart(context, stored, own);
  // No header can hold a space: it cannot be the key of a request for a sync.
  const key = keys.idempotency(integration, `webhook ${idempotencyKey}`);
  const expiresAt = now + IDEMPOTENCY_MS;
  const { value: id = own.id } = await update<string>(
    state,
    key,
    (known) => (known === undefined ? own.id : undefined),
    expiresAt,
  );
  const known = await read<RunItem>(state, keys.run(id));
  if (known) return { run: await resume(context, known.value), joined: true };
  const requested = await joinOrStart(context, stored, { ...own, id });
  if (requested.run.id !== id) await state.put(key, requested.run.id, undefined, expiresAt);
  return requested;
}

async function joinOrStart(context: EngineContext, stored: IntegrationItem, own: RunItem): Promise<RequestedRun> {
  const { state, clock } = context.ports;
  const key = announcedKey(own.integration);
  for (let attempt = 0; attempt < MOST_CONFLICTS; attempt++) {
    const announced = await read<Announced>(state, key);
    const waiting = await findWaiting(context, own.integration, stored.document, announced?.value.run);
    if (waiting) {
      if (waiting.isStuck) await sendAgain(context, waiting.run);
      return { run: waiting.run, joined: true };
    }
    if (announced && (await isBeingMade(context, stored, announced.value))) {
      const { run: id } = announced.value;
      // Whoever announced it may be interrupted before it is stored. Both do the same, so that doing it twice is no harm.
      return { run: await startRun(context, { ...own, id }, REQUEST), joined: id !== own.id };
    }
    const next: Announced = { run: own.id, at: clock.now() };
    const expiresAt = clock.now() + IDEMPOTENCY_MS;
    if ((await state.put(key, json(next), announced?.revision ?? 'absent', expiresAt)) === undefined) continue;
    return { run: await startRun(context, own, REQUEST), joined: false };
  }
  throw new Fault('transient', 'state_contention', `starting a sync of ${own.integration}: too many calls at once`);
}

/** Shares the place of idempotency keys, with a space that no header can hold. */
function announcedKey(integration: string): StateKey {
  return keys.idempotency(integration, 'waiting webhook');
}

/**
 * A run that has not begun. Which one is active is read before the runs are: one that waits after that moment has read
 * nothing yet, however soon its turn comes.
 */
async function findWaiting(
  context: EngineContext,
  integration: string,
  document: IntegrationDocument,
  announced: string | undefined,
): Promise<Waiting | undefined> {
  const { state } = context.ports;
  const queued = (await list(state, keys.queuedRuns(integration))).map(({ key }) => key.sort);
  const active = (await read<string>(state, keys.active(integration)))?.value;
  for (const id of new Set([...queued, ...(announced === undefined ? [] : [announced])])) {
    if (id === active) continue;
    const run = (await read<RunItem>(state, keys.run(id)))?.value;
    if (run === undefined || !isOpenTo(run, document)) continue;
    return { run, isStuck: active === undefined || !queued.includes(id) };
  }
  return undefined;
}

/** Whether a run will read all that a new one would, by the same document. */
function isOpenTo(
  { state, cancelRequested, requested, document: own }: RunItem,
  document: IntegrationDocument,
): boolean {
  if (state !== 'queued' || cancelRequested || requested === 'incremental') return false;
  return canonicalJson(own) === canonicalJson(document);
}

async function isBeingMade(context: EngineContext, stored: IntegrationItem, { run, at }: Announced): Promise<boolean> {
  const { state, clock } = context.ports;
  // Of an integration of the same name that was removed since.
  if (at < Date.parse(stored.createdAt) || clock.now() - at > LONGEST_MAKING_MS) return false;
  return (await read<RunItem>(state, keys.run(run))) === undefined;
}
