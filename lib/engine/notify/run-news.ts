import { FINAL_STATES } from '../../core/run';
import type { EngineContext } from '../context';
import { listIntegrations } from '../integrations';
import { create, json, list, read } from '../records';
import { slicesByStream, streamsOf } from '../runs';
import { type Policies, schemaPolicy } from '../schema-policy';
import { type IntegrationItem, keys, type RunItem } from '../state';
import { notifyKeys } from './outbox';
import { newsOf, type Row, type StreamNews } from './run-texts';

const DAY_MS = 86_400_000;
/** Runs that ended earlier than this before anybody looked are no news. */
const OLDEST_NEWS_MS = 3_600_000;
const RUNS_A_LOOK = 100;
const AT_ONCE = 10;

/**
 * Tells of the runs that ended since the last look, each once: failures and their end, records that could not be loaded,
 * changed schemas. All is read from what is stored, so that nothing is lost with a process.
 */
export async function tellOfRuns(context: EngineContext): Promise<void> {
  if (context.ports.notify === undefined) return;
  const all = await listIntegrations(context);
  const failures: unknown[] = [];
  for (let first = 0; first < all.length; first += AT_ONCE) {
    const some = all.slice(first, first + AT_ONCE);
    const ended = await Promise.allSettled(some.map(({ key, value }) => tellOfIntegration(context, key.sort, value)));
    failures.push(...ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])));
  }
  // One that fails must not keep the others from being told.
  if (failures.length > 0) throw failures[0];
}

async function tellOfIntegration(context: EngineContext, id: string, item: IntegrationItem): Promise<void> {
  const { state } = context.ports;
  const stored = await read<Row>(state, notifyKeys.row(id));
  const row = stored?.value ?? (await firstRow(context, id));
  const runs = await list<RunItem>(state, keys.runs(id), {
    limit: RUNS_A_LOOK,
    ...(row.lastRun !== '' && { after: row.lastRun }),
  });
  const open = runs.findIndex(({ value }) => !FINAL_STATES.includes(value.state));
  const ended = open === -1 ? runs : runs.slice(0, open);
  if (ended.length === 0 && stored !== undefined) return;
  let next = row;
  for (const { value: run } of ended) next = await tellOfRun(context, item, next, run);
  // Told first, and noted then: what is told twice has the same id.
  if (stored === undefined) await create(state, notifyKeys.row(id), next);
  else await state.put(stored.key, json(next), stored.revision);
  if (ended.length === RUNS_A_LOOK) await tellOfIntegration(context, id, item);
}

/** Where nobody has looked yet, what is old is left alone. */
async function firstRow({ ports: { state, clock } }: EngineContext, id: string): Promise<Row> {
  const recent = await list<RunItem>(state, keys.runs(id), { reverse: true, limit: RUNS_A_LOOK });
  const old = recent.find(({ value }) => (value.finishedAt ?? Number.POSITIVE_INFINITY) < clock.now() - OLDEST_NEWS_MS);
  return { lastRun: old?.key.sort ?? '', failures: 0, told: 0 };
}

async function tellOfRun(context: EngineContext, item: IntegrationItem, row: Row, run: RunItem): Promise<Row> {
  const { notifications, row: next } = newsOf(row, run, await streamNews(context, run), {
    tellsQuarantine: (item.document.error_handling as { notification?: boolean } | undefined)?.notification === true,
    dayMs: DAY_MS,
  });
  for (const notification of notifications) await context.ports.notify?.(notification);
  return next;
}

async function streamNews(context: EngineContext, run: RunItem): Promise<readonly StreamNews[]> {
  const streams = await streamsOf(context, run.id);
  const slices = await slicesByStream(context, run.id, streams);
  return streams.map(({ stream, state, changes, fault }) => {
    const own = slices.get(stream) ?? [];
    return {
      stream,
      state,
      changes: [...new Set([...changes, ...own.flatMap((slice) => slice.changes)])],
      policy: schemaPolicy(run.document as Policies, stream),
      quarantined: own.reduce((total, slice) => total + slice.quarantined, 0),
      skipped: own.reduce((total, slice) => total + (slice.skipped ?? 0), 0),
      ...(fault && { fault }),
    };
  });
}
