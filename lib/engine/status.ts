import type { FaultRecord } from '../core/fault';
import { FINAL_STATES, type RunDetails, type StreamRun } from '../core/run';
import type { IntegrationStatus, Progress } from '../core/service';
import type { EngineContext } from './context';
import { credentialWarnings } from './credentials';
import { latestEvidence } from './health';
import { freshest, RECENT_RUNS, recentRuns } from './kept-runs';
import { type ProbeItem, viewHealthCheck } from './probe/item';
import { list, read } from './records';
import { streamsOf } from './runs';
import { type IntegrationItem, keys, type RunItem } from './state';
import { isoTime, viewRunDetails } from './views';

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
  const probe = (await read<ProbeItem>(state, keys.probe(id)))?.value;
  const healthCheck = viewHealthCheck(context.ports, item, probe);
  return {
    integration: id,
    state: current?.state ?? last?.state ?? 'idle',
    enabled: item.document.enabled !== false,
    connectionStatus: latestEvidence({ item, runs, probe }).connectionStatus,
    ...(healthCheck && { healthCheck }),
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
