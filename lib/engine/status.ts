import type { FaultRecord } from '../core/fault';
import { FINAL_STATES, type RunDetails, type StreamRun } from '../core/run';
import type { IntegrationHealth, IntegrationStats, IntegrationStatus, Progress } from '../core/service';
import type { EngineContext } from './context';
import { costOf } from './cost';
import { credentialWarnings } from './credentials';
import { list, read } from './records';
import { streamsOf } from './runs';
import { type IntegrationItem, keys, type RunItem } from './state';
import { isoTime, viewRunDetails } from './views';

const RECENT_RUNS = 200;
const FAILING_AFTER = 3;

/** How an integration stands. */
export async function statusOf(context: EngineContext, id: string, item: IntegrationItem): Promise<IntegrationStatus> {
  const { state, clock, scheduler } = context.ports;
  const now = clock.now();
  const runs = await recentRuns(context, id, RECENT_RUNS);
  const active = await read<string>(state, keys.active(id));
  const named = active && (await read<RunItem>(state, keys.run(active.value)))?.value;
  const current = named && !FINAL_STATES.includes(named.state) ? named : undefined;
  const last = runs.find((run) => FINAL_STATES.includes(run.state));
  const running = current && (await viewRunDetails(context, current));
  const nextRun = await scheduler.next(id, now);
  const fresh = freshest(runs);
  const retried = running?.streams.find((stream) => stream.fault);
  const failed = runs.find((run) => run.fault);
  const queued = await list(state, keys.queuedRuns(id));
  return {
    integration: id,
    state: current?.state ?? last?.state ?? 'idle',
    enabled: item.document.enabled !== false,
    queued: queued.map((waiting) => waiting.key.sort),
    warnings: await credentialWarnings(context, item.document),
    ...(running && { running, progress: progressOf(running) }),
    ...(last && { lastRun: await viewRunDetails(context, last) }),
    ...(fresh !== undefined && { freshness: { at: isoTime(fresh), seconds: (now - fresh) / 1000 } }),
    ...(nextRun !== undefined && { nextRun: isoTime(nextRun) }),
    ...(failed?.fault && { lastFault: await describeFault(context, failed, failed.fault) }),
    ...(retried?.fault && { lastFault: { ...retried.fault, at: isoTime(now), stream: retried.stream } }),
  };
}

async function describeFault(context: EngineContext, run: RunItem, fault: FaultRecord) {
  const stream = (await streamsOf(context, run.id)).find((item) => item.fault?.message === fault.message)?.stream;
  return { ...fault, at: isoTime(run.finishedAt ?? run.createdAt), ...(stream !== undefined && { stream }) };
}

/** The runs that are kept, newest first. */
export async function recentRuns(
  context: EngineContext,
  id: string,
  limit: number,
  after?: string,
): Promise<RunItem[]> {
  const query = { reverse: true, limit, ...(after !== undefined && { after }) };
  return (await list<RunItem>(context.ports.state, keys.runs(id), query)).map((stored) => stored.value);
}

/** When the source was last read completely: a run brings what was there when it began. */
function freshest(runs: readonly RunItem[]): number | undefined {
  return runs.find((run) => run.state === 'succeeded')?.startedAt;
}

function progressOf(run: RunDetails): Progress {
  const rowsPerSecond = run.seconds > 0 ? run.rows / run.seconds : 0;
  const progress = { rows: run.rows, bytes: run.bytes, rowsPerSecond };
  // An increment's size is not known beforehand; only full reads have an estimate that means something.
  const estimated = run.streams.filter((stream) => stream.estimatedRows !== undefined && stream.mode === 'full');
  if (estimated.length === 0 || estimated.length < run.streams.length) return progress;
  const expected = (stream: StreamRun) =>
    FINAL_STATES.includes(stream.state) ? stream.rows : Math.max(stream.estimatedRows ?? 0, stream.rows);
  const estimatedRows = estimated.reduce((total, stream) => total + expected(stream), 0);
  if (estimatedRows === 0) return progress;
  const secondsLeft = rowsPerSecond > 0 ? (estimatedRows - run.rows) / rowsPerSecond : undefined;
  return {
    ...progress,
    estimatedRows,
    fraction: Math.min(1, run.rows / estimatedRows),
    ...(secondsLeft !== undefined && { secondsLeft: Math.max(0, secondsLeft) }),
  };
}

/** What the last runs of an integration say about it. */
export async function healthOf(context: EngineContext, id: string): Promise<IntegrationHealth> {
  return healthFrom(id, await recentRuns(context, id, RECENT_RUNS), context.ports.clock.now());
}

/** What runs, newest first, say about an integration. */
export function healthFrom(id: string, runs: readonly RunItem[], now: number): IntegrationHealth {
  const ended = runs.slice(0, RECENT_RUNS).filter((run) => FINAL_STATES.includes(run.state));
  const counted = ended.filter((run) => run.state !== 'cancelled');
  const [last] = counted;
  if (last === undefined) {
    return {
      integration: id,
      status: 'unknown',
      connectionStatus: 'unknown',
      errorRate: 0,
      detail: 'no sync has ended yet',
    };
  }
  const inARow = failuresInARow(counted);
  const fresh = freshest(ended);
  return {
    integration: id,
    status: last.state === 'succeeded' ? 'healthy' : inARow >= FAILING_AFTER ? 'failed' : 'degraded',
    connectionStatus: last.state === 'failed' ? 'failed' : 'connected',
    errorRate: errorRate(ended),
    detail: last.fault ? last.fault.message : `the last sync ${last.state}`,
    ...(fresh !== undefined && { lastSyncAgeSeconds: (now - fresh) / 1000 }),
  };
}

/** How many of the newest runs failed without one between them that loaded something. */
export function failuresInARow(runs: readonly RunItem[]): number {
  const failures = runs.findIndex((run) => run.state === 'succeeded' || run.state === 'partial');
  return failures === -1 ? runs.length : failures;
}

/** Counts over the runs of an integration that are kept. */
export async function statsOf(context: EngineContext, id: string): Promise<IntegrationStats> {
  return statsFrom(id, await allRuns(context, id), context.ports.clock.now());
}

/** Counts over runs, newest first. */
export function statsFrom(id: string, runs: readonly RunItem[], now: number): IntegrationStats {
  const ended = runs.filter((run) => FINAL_STATES.includes(run.state));
  const count = (state: RunItem['state']) => ended.filter((run) => run.state === state).length;
  const sum = (pick: (run: RunItem) => number) => ended.reduce((total, run) => total + pick(run), 0);
  const seconds = ended.map(secondsOf).sort((left, right) => left - right);
  const total = seconds.reduce((all, one) => all + one, 0);
  const rows = sum((run) => run.rows);
  const fresh = freshest(ended);
  return {
    integration: id,
    runs: {
      total: ended.length,
      succeeded: count('succeeded'),
      partial: count('partial'),
      failed: count('failed'),
      cancelled: count('cancelled'),
    },
    rows,
    bytes: sum((run) => run.bytes),
    quarantined: sum((run) => run.quarantined),
    errorRate: errorRate(ended),
    seconds: { p50: quantile(seconds, 0.5), p95: quantile(seconds, 0.95), max: seconds.at(-1) ?? 0 },
    rowsPerSecond: total > 0 ? rows / total : 0,
    costUsd: sum((run) => costOf(secondsOf(run), run.slices).usd),
    ...(fresh !== undefined && { freshnessSeconds: (now - fresh) / 1000 }),
  };
}

/** All runs that are kept, newest first. */
export async function allRuns(context: EngineContext, id: string): Promise<RunItem[]> {
  const runs: RunItem[] = [];
  for (;;) {
    const page = await recentRuns(context, id, RECENT_RUNS, runs.at(-1)?.id);
    runs.push(...page);
    if (page.length < RECENT_RUNS) return runs;
  }
}

function errorRate(ended: readonly RunItem[]): number {
  const counted = ended.filter((run) => run.state !== 'cancelled');
  return counted.length === 0 ? 0 : counted.filter((run) => run.state === 'failed').length / counted.length;
}

/** From start to end. */
export function secondsOf(run: RunItem): number {
  return run.startedAt === undefined ? 0 : ((run.finishedAt ?? run.startedAt) - run.startedAt) / 1000;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
