import { Fault, toFault } from '../core/fault';
import type { Delivery } from '../core/ports';
import { FINAL_STATES } from '../core/run';
import type { Redriven, RedriveQuery, SyncRequest } from '../core/service';
import type { EngineContext } from './context';
import { checkDocument } from './document';
import { loadIntegration } from './integrations';
import { read } from './records';
import { loadRun, requestRun, sendAgain } from './runs';
import { scheduleKey } from './scheduled';
import { type IntegrationItem, integrationOf, keys, RUN_RETENTION_MS, type RunItem } from './state';

const LETTERS_A_LOOK = 100;
/** Whoever calls through a gateway is cut off after half a minute; what is left is for the next call. */
const LONGEST_MS = 15_000;
/** Who else looks at dead letters hides them meanwhile, for a moment each. */
const HIDDEN_MS = 1500;

/** What the body of a letter may say. */
interface Body {
  readonly run?: unknown;
  readonly schedule?: unknown;
  readonly at?: unknown;
}

type Outcome = Omit<Redriven, 'integration' | 'run'>;

/** See {@link import('../core/service').Service.redrive}. Doing it twice, or twice at once, starts no second run. */
export async function redrive(context: EngineContext, query: RedriveQuery): Promise<readonly Redriven[]> {
  const { queue, clock } = context.ports;
  const end = clock.now() + LONGEST_MS;
  const seen = new Map<string, Redriven | undefined>();
  const looks = context.options.exclusive ? 1 : 2;
  for (let vain = 0; vain < looks; ) {
    const letters = await queue.deadLetters(LETTERS_A_LOOK + seen.size);
    const fresh = letters.filter(({ id }) => !seen.has(id));
    await acknowledgeAgain(context, letters, seen);
    for (const letter of fresh) seen.set(letter.id, await redriveOne(context, query, letter, end));
    if (clock.now() >= end) break;
    if (fresh.length > 0) continue;
    if (++vain < looks) await clock.sleep(HIDDEN_MS);
  }
  const results = [...seen.values()].filter((result) => result !== undefined);
  if (results.length === 0) await requireKnown(context, query);
  return Promise.all(results.map((result) => unlessEnded(context, result)));
}

/** Who else looked at a letter in between has made its receipt worthless, and it is still there. */
async function acknowledgeAgain(
  context: EngineContext,
  letters: readonly Delivery[],
  seen: ReadonlyMap<string, Redriven | undefined>,
): Promise<void> {
  for (const { id, receipt } of letters) {
    const outcome = seen.get(id)?.outcome;
    if (outcome !== undefined && outcome !== 'kept') await context.ports.queue.acknowledge(receipt);
  }
}

/** A name that nothing has ever had is a mistake, not a queue without letters. */
async function requireKnown(context: EngineContext, { integration, run }: RedriveQuery): Promise<void> {
  if (integration !== undefined) await loadIntegration(context, integration);
  if (run !== undefined) await loadRun(context, run);
}

/** Handles one letter; `undefined` when it is not asked for. */
async function redriveOne(
  context: EngineContext,
  query: RedriveQuery,
  letter: Delivery,
  end: number,
): Promise<Redriven | undefined> {
  const subject = subjectOf(letter);
  if (query.integration !== undefined && subject.integration !== query.integration) return undefined;
  if (query.run !== undefined && subject.run !== query.run) return undefined;
  if (context.ports.clock.now() >= end) {
    return { ...subject, outcome: 'kept', note: 'there was no time left for it; redrive again' };
  }
  try {
    const outcome = await outcomeOf(context, letter, subject);
    // Only now: whatever happens before, the letter is found again.
    if (outcome.outcome !== 'kept') await context.ports.queue.acknowledge(letter.receipt);
    return { ...subject, ...outcome };
  } catch (error) {
    const { message, hint } = toFault(error, `redriving message ${letter.id}`);
    return { ...subject, outcome: 'kept', note: hint === undefined ? message : `${message}. ${hint}` };
  }
}

type Subject = Pick<Redriven, 'integration' | 'run'>;

/** What a letter is about; nothing when it is no message of ours. */
function subjectOf({ body }: Delivery): Subject {
  const { run, schedule } = (body ?? {}) as Body;
  if (typeof run === 'string' && integrationOf(run) !== '') return { run, integration: integrationOf(run) };
  return typeof schedule === 'string' ? { integration: schedule } : {};
}

async function outcomeOf(context: EngineContext, letter: Delivery, { integration, run }: Subject): Promise<Outcome> {
  if (integration === undefined) {
    return { outcome: 'kept', note: `message ${letter.id} names no run and no schedule; look at it in the queue` };
  }
  const stored = await read<IntegrationItem>(context.ports.state, keys.integration(integration));
  if (stored === undefined) return { outcome: 'removed', note: 'the integration does not exist any more' };
  return run === undefined
    ? redriveTick(context, integration, stored.value, letter)
    : redriveRun(context, integration, stored.value, run);
}

async function redriveRun(
  context: EngineContext,
  integration: string,
  stored: IntegrationItem,
  id: string,
): Promise<Outcome> {
  const run = (await read<RunItem>(context.ports.state, keys.run(id)))?.value;
  if (run === undefined) return { outcome: 'removed', note: 'the run does not exist any more' };
  if (run.state === 'failed') return startAnew(context, integration, stored, run);
  if (FINAL_STATES.includes(run.state)) return { outcome: 'removed', note: `the run has already ended: ${run.state}` };
  const active = await sendAgain(context, run);
  if (active === id) return { outcome: 'resent', note: 'the run was sent to the workers again' };
  return { outcome: 'resent', note: `the run waits for run ${active}` };
}

/** Starts a run of the same kind; positions are the integration's, so that it goes on behind what was published. */
async function startAnew(
  context: EngineContext,
  integration: string,
  stored: IntegrationItem,
  run: RunItem,
): Promise<Outcome> {
  const request: SyncRequest = {
    trigger: run.trigger,
    whenRunning: 'queue',
    // Several messages of one run become dead letters one after the other.
    idempotencyKey: `redrive ${run.id}`,
    ...(run.requested !== undefined && { type: run.requested }),
  };
  await checkDocument(stored.document, context.ports.loadConnector);
  const next = await requestRun(context, integration, stored, request, RUN_RETENTION_MS);
  // An earlier letter of the same run has started it, and it failed as well.
  if (next.state === 'failed') return startAnew(context, integration, stored, next);
  return outcomeOfStart(next, 'the run had been ended as failed; a new one takes its place');
}

/** A request that was repeated gives the run that the first one has started. */
function outcomeOfStart({ id, state }: RunItem, note: string): Outcome {
  if (FINAL_STATES.includes(state))
    return { outcome: 'removed', note: `run ${id} was started for it and has ended: ${state}` };
  return { outcome: 'started', started: id, note };
}

/** A tick of a schedule that nobody could handle. */
async function redriveTick(
  context: EngineContext,
  integration: string,
  stored: IntegrationItem,
  { id: message, body }: Delivery,
): Promise<Outcome> {
  if (stored.document.enabled === false) return { outcome: 'removed', note: 'the integration is paused' };
  const at = Date.parse(String((body as Body).at));
  const idempotencyKey = Number.isNaN(at) ? `redrive ${message}` : scheduleKey(at);
  try {
    await checkDocument(stored.document, context.ports.loadConnector);
    const request: SyncRequest = { trigger: 'schedule', whenRunning: 'refuse', idempotencyKey };
    const run = await requestRun(context, integration, stored, request, RUN_RETENTION_MS);
    return outcomeOfStart(run, 'the run that its schedule had asked for');
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'run_active') throw error;
    return { outcome: 'removed', note: `run ${error.run} is going on and brings the data up to date` };
  }
}

/** A home that ends the runs of dead letters may have read this letter before it was removed, and ended the run since. */
async function unlessEnded(context: EngineContext, result: Redriven): Promise<Redriven> {
  const { integration, run: id } = result;
  if (result.outcome !== 'resent' || integration === undefined || id === undefined) return result;
  const { state } = context.ports;
  const run = (await read<RunItem>(state, keys.run(id)))?.value;
  const stored = await read<IntegrationItem>(state, keys.integration(integration));
  if (run?.fault?.code !== 'dead_letter' || run.state !== 'failed' || stored === undefined) return result;
  return { ...result, ...(await startAnew(context, integration, stored.value, run)) };
}
