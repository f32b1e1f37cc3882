import type { Feed } from '../core/connector';
import { Fault } from '../core/fault';
import { INCREMENT, type Position } from '../core/position';
import type { StreamSchema } from '../core/schema';
import type { EngineContext } from './context';
import type { StreamDecision } from './planning';
import type { AcceptedSchemas } from './schema-policy';
import type { Session } from './sessions';
import { FEED, LOADED, type RunItem, UNLOADED } from './state';
import { nextFence } from './tasks';

const BEGUN = 'read anew: its changes are recorded only from now on';

/** Streams that are read once more before their changes are followed, each with the reason. */
export type ReadAnew = ReadonlyMap<string, string>;

/**
 * Has the changes of all streams recorded that are to be followed, before any of them is read, so that nothing falls between
 * the two. `undefined` where nothing is followed.
 */
export async function follow(
  context: EngineContext,
  run: RunItem,
  session: Session,
  decisions: readonly StreamDecision[],
  accepted: AcceptedSchemas,
  signal: AbortSignal,
): Promise<ReadAnew | undefined> {
  const { feed } = session.source;
  const streams = decisions
    .filter(({ mode, fault }) => mode === 'changes' && fault === undefined)
    .map(({ schema }) => schema);
  if (feed === undefined || streams.length === 0) return undefined;
  const { integration } = run;
  await leaveOut(session, integration, without(accepted, streams));
  const place = { integration, stream: FEED, partition: INCREMENT };
  const from = await session.destination.claim(place, await nextFence(context, integration, FEED));
  const { position, anew } = await headOf(feed, streams, from, signal);
  if (anew.size > 0) context.ports.log.warn('changes are not complete', { run: run.id, streams: [...anew.keys()] });
  await leaveOut(session, integration, anew.keys());
  // Last: until then the next run finds the same gap.
  if (position !== from) await session.destination.seed(place, position, from);
  return anew;
}

function without(accepted: AcceptedSchemas, streams: readonly StreamSchema[]): string[] {
  const followed = new Set(streams.map(({ stream }) => stream));
  return [...accepted.keys()].filter((stream) => !followed.has(stream));
}

async function headOf(
  feed: Feed,
  streams: readonly StreamSchema[],
  from: Position | undefined,
  signal: AbortSignal,
): Promise<{ readonly position: Position; readonly anew: ReadAnew }> {
  try {
    const { position, begun = [] } = await feed.head({ streams, signal, ...(from && { from }) });
    if (from === undefined) return { position, anew: new Map() };
    return { position: from, anew: new Map(begun.map((stream) => [stream, BEGUN])) };
  } catch (error) {
    if (from === undefined || !(error instanceof Fault) || error.kind !== 'lost') throw error;
    const { position } = await feed.head({ streams, signal });
    return { position, anew: new Map(streams.map(({ stream }) => [stream, `read anew: ${error.message}`])) };
  }
}

/** What the feed gives from now on does not continue what was read of these streams: they are read anew. */
export async function leaveOut(session: Session, integration: string, streams: Iterable<string>): Promise<void> {
  for (const stream of streams) {
    await session.destination.seed({ integration, stream, partition: INCREMENT }, UNLOADED, LOADED);
  }
}
