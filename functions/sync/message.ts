import type { Context, SQSRecord } from 'aws-lambda';
import { Fault, messageOf } from '../../lib/core/fault';
import type { Delivery } from '../../lib/core/ports';
import { startScheduled } from '../../lib/engine/scheduled';
import type { SyncHome } from './home';

/** Messages that follow from each other without an end are a mistake of ours: this many are 14 days of full slices. */
const MOST_HOPS = 5000;
/** Before the end of the function's time work is stopped at the next batch; what is left of it is for the last write. */
const LAST_SECONDS_MS = 20_000;
const FIRST_RETRY_MS = 2000;
const LONGEST_RETRY_MS = 300_000;
/** The health function stores declared integrations every five minutes; a message is received five times. */
const UNTIL_STORED_MS = 90_000;

/** Handles one message of a connector's queue; gives whether it is done. One that is not comes again after a while. */
export async function handleMessage(
  home: SyncHome,
  type: string,
  record: SQSRecord,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
): Promise<boolean> {
  const delivery: Delivery = {
    id: record.messageId,
    body: JSON.parse(record.body),
    receipt: record.receiptHandle,
    attempts: Number(record.attributes.ApproximateReceiveCount),
  };
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), Math.max(0, context.getRemainingTimeInMillis() - LAST_SECONDS_MS));
  try {
    await dispatch(home, delivery, Number(record.attributes.SentTimestamp), stop.signal);
    return true;
  } catch (error) {
    home.log.error('a message could not be handled', { message: delivery.id, error: messageOf(error) });
    const asked = error instanceof Fault ? (error.retryAfterMs ?? 0) : 0;
    const wait = Math.min(LONGEST_RETRY_MS, Math.max(asked, FIRST_RETRY_MS * 2 ** delivery.attempts));
    await home.queue(type).release(delivery.receipt, wait);
    return false;
  } finally {
    clearTimeout(timer);
  }
}

interface Body {
  readonly run?: string;
  readonly hop?: number;
  readonly schedule?: string;
  readonly at?: string;
  readonly declared?: boolean;
}

async function dispatch(home: SyncHome, delivery: Delivery, sentAt: number, stop: AbortSignal): Promise<void> {
  const { run, hop = 0, schedule, at, declared = false } = delivery.body as Body;
  if (hop > MOST_HOPS) throw new Fault('bug', 'endless_run', `syncing: run ${run} went on for ${hop} messages`);
  if (hop > 0) home.log.info('a run goes on', { run, hop });
  if (run !== undefined) await home.engine.handle(delivery, stop);
  else if (schedule !== undefined) await tick(home, schedule, scheduledTime(at ?? '', sentAt), declared);
  else throw new Fault('bug', 'unknown_message', `handling message ${delivery.id}: it names neither run nor schedule`);
}

const MINUTE_MS = 60_000;

/** When a tick was due. An emulator may leave the place of the time as it is; then the minute in which it was sent. */
function scheduledTime(at: string, sentAt: number): number {
  const time = Date.parse(at);
  return Number.isNaN(time) ? Math.floor(sentAt / MINUTE_MS) * MINUTE_MS : time;
}

/** A schedule outlives for a moment what it starts, and that of a declared integration ticks also while it is paused. */
async function tick({ engine, log }: SyncHome, integration: string, at: number, declared: boolean): Promise<void> {
  try {
    const { document } = await engine.service.get(integration);
    if (document.enabled !== false) await startScheduled(engine.service, log, integration, at);
    else log.info('a scheduled run was left out: the integration is paused', { integration });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'not_found') throw error;
    // This function may not store documents: who may decides where credentials are sent to.
    if (declared) throw notStoredYet(integration);
    log.warn('a schedule names an integration that is not there', { integration });
  }
}

function notStoredYet(integration: string): Fault {
  return new Fault('transient', 'not_stored_yet', `starting a scheduled run of ${integration}: it is not stored yet`, {
    hint: 'The health function stores declared integrations within five minutes of a deployment; the run starts then.',
    retryAfterMs: UNTIL_STORED_MS,
  });
}
