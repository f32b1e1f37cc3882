import type { Run, RunDetails, StreamRun } from '../core/run';
import type { EngineContext } from './context';
import { costOf } from './cost';
import { slicesByStream, streamsOf } from './runs';
import type { RunItem, SliceItem, StreamItem } from './state';

/** ISO 8601 in UTC. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** A stored run as it is shown. */
export function viewRun(run: RunItem, now: number): Run {
  const seconds = run.startedAt === undefined ? 0 : ((run.finishedAt ?? now) - run.startedAt) / 1000;
  const {
    id,
    integration,
    trigger,
    state,
    rows,
    bytes,
    slices,
    retries,
    quarantined,
    skipped = 0,
    cancelRequested,
    fault,
  } = run;
  return {
    id,
    integration,
    trigger,
    state,
    rows,
    bytes,
    slices,
    retries,
    quarantined,
    skipped,
    cancelRequested,
    seconds,
    cost: costOf(seconds, slices),
    createdAt: isoTime(run.createdAt),
    ...(run.requested !== undefined && { requested: run.requested }),
    ...(run.startedAt !== undefined && { startedAt: isoTime(run.startedAt) }),
    ...(run.finishedAt !== undefined && { finishedAt: isoTime(run.finishedAt) }),
    ...(fault && { fault }),
  };
}

/** A run with its streams; the counts of one that goes on are summed from its slices. */
export async function viewRunDetails(context: EngineContext, run: RunItem): Promise<RunDetails> {
  const items = await streamsOf(context, run.id);
  const slices = await slicesByStream(context, run.id, items);
  const streams = items.map((stream) => viewStream(stream, slices.get(stream.stream) ?? []));
  const sum = (pick: (stream: StreamRun) => number) => streams.reduce((total, stream) => total + pick(stream), 0);
  const view = viewRun(run, context.ports.clock.now());
  if (run.finishedAt !== undefined) return { ...view, streams };
  return {
    ...view,
    streams,
    rows: sum((stream) => stream.rows),
    bytes: sum((stream) => stream.bytes),
    slices: sum((stream) => stream.slices),
    retries: run.retries + sum((stream) => stream.retries),
    quarantined: sum((stream) => stream.quarantined),
    skipped: sum((stream) => stream.skipped),
  };
}

function viewStream(stream: StreamItem, slices: readonly SliceItem[]): StreamRun {
  const sum = (pick: (slice: SliceItem) => number) => slices.reduce((total, slice) => total + pick(slice), 0);
  const firstLoad = stream.load !== undefined && stream.mode === 'incremental';
  const fault = stream.fault ?? slices.find((slice) => slice.fault)?.fault;
  return {
    stream: stream.stream,
    state: stream.state,
    mode: stream.load === undefined ? stream.mode : 'full',
    reason: firstLoad ? `first full load; afterwards ${stream.reason}` : stream.reason,
    rows: sum((slice) => slice.rows),
    bytes: sum((slice) => slice.bytes),
    quarantined: sum((slice) => slice.quarantined),
    skipped: sum((slice) => slice.skipped ?? 0),
    retries: stream.retries + sum((slice) => slice.retries),
    slices: stream.parts?.length ?? 0,
    slicesDone: slices.filter((slice) => slice.done).length,
    changes: [...new Set([...stream.changes, ...slices.flatMap((slice) => slice.changes)])],
    notes: stream.notes,
    ...(stream.estimatedRows !== undefined && { estimatedRows: stream.estimatedRows }),
    ...(fault && { fault }),
    ...(stream.startedAt !== undefined && { startedAt: isoTime(stream.startedAt) }),
    ...(stream.finishedAt !== undefined && { finishedAt: isoTime(stream.finishedAt) }),
  };
}
