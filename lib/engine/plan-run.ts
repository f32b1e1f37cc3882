import { Fault } from '../core/fault';
import { callOthers, cancellation, type EngineContext } from './context';
import { follow, type ReadAnew } from './follow';
import { decide, type StreamDecision } from './planning';
import { changeRun } from './runs';
import { acceptedSchemas, acceptSchemas, judgeShape } from './schema-policy';
import type { Session } from './sessions';
import { FEED, LOADED, type RunItem, type StreamItem } from './state';
import { addStream } from './streams';

/** Lists the streams of a run and decides how each is read, then calls the other workers. */
export async function planRun(context: EngineContext, run: RunItem, signal: AbortSignal): Promise<void> {
  const { clock } = context.ports;
  cancellation(context, run.id);
  await changeRun(context, run.id, (current) => ({
    ...current,
    state: 'running',
    startedAt: current.startedAt ?? clock.now(),
  }));
  await context.sessions.use(run.id, run.document, (session) => planStreams(context, run, session, signal));
  await changeRun(context, run.id, (current) => ({ ...current, planned: true, attempts: 0, retryAt: 0 }));
  await callOthers(context, run);
}

async function planStreams(context: EngineContext, run: RunItem, session: Session, signal: AbortSignal): Promise<void> {
  const infos = await session.source.discover(signal);
  const decisions = decide(infos, session.fields, run.requested);
  if (decisions.length === 0) throw nothingSelected(run.integration);
  const accepted = await acceptedSchemas(context.ports.state, run.integration);
  const anew = await follow(context, run, session, decisions, accepted, signal);
  const judged = decisions.map((decision) => judgeShape(decision, session.fields, accepted));
  for (const decision of judged) await addStream(context, run, streamItem(decision, anew));
  await acceptSchemas(context, session.fields, judged, accepted);
  if (anew) await addStream(context, run, FEED_ITEM);
}

function streamItem(decision: StreamDecision, anew: ReadAnew | undefined): StreamItem {
  const { schema, mode, cursor, reason, warnings, changes = [], estimate, fault } = decision;
  const why = anew?.get(schema.stream);
  return {
    ...NEW_STREAM,
    stream: schema.stream,
    schema,
    mode,
    reason,
    notes: why === undefined ? warnings : [...warnings, why],
    changes,
    ...(cursor && { cursor }),
    ...(estimate && { estimatedRows: estimate.rows }),
    ...(mode === 'changes' && { after: LOADED }),
    ...(fault && { fault, state: 'failed' }),
  };
}

const NEW_STREAM = {
  state: 'queued',
  attempts: 0,
  retryAt: 0,
  retries: 0,
  restarts: 0,
  changes: [],
  notes: [],
} as const;

const FEED_ITEM: StreamItem = {
  ...NEW_STREAM,
  stream: FEED,
  schema: { stream: FEED, columns: [], key: [] },
  mode: 'changes',
  reason: 'the log of changes, after all streams were read once',
};

function nothingSelected(integration: string): Fault {
  return new Fault('config', 'no_streams', `planning the sync of ${integration}: the source offers no stream`, {
    hint: 'Check the selection of schemas and tables, and the rights of the user; "explorerio discover" lists what can be seen.',
  });
}
