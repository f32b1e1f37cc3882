import type { Sample } from '../core/alert/condition';
import type { EndedRows } from '../core/alert/evaluation';
import { LONGEST_DURATION } from '../core/alert/rule';
import type { IntegrationDocument } from '../core/integration';
import { FINAL_STATES } from '../core/run';
import type { IntegrationHealth, IntegrationStats } from '../core/service';
import { someAtOnce } from './at-once';
import type { EngineContext } from './context';
import { healthFrom } from './health';
import { listIntegrations } from './integrations';
import { allRuns, countedRuns, failuresInARow, type KeptRun, secondsOf } from './kept-runs';
import type { ProbeItem } from './probe/item';
import { read } from './records';
import { type IntegrationItem, keys } from './state';
import { metricsFrom, statsFrom } from './stats';

const DAY_MS = 86_400_000;
/** Integrations whose runs are in memory at the same time. */
const AT_ONCE = 10;

/** How one integration stands at one time. */
export interface Observation {
  readonly integration: string;
  readonly document: IntegrationDocument;
  readonly health: IntegrationHealth;
  readonly stats: IntegrationStats;
  /** The values of the condition language that are about a moment. */
  readonly sample: Sample;
  /** What the runs did that ended within the longest time that an alert can be about. */
  readonly ended: readonly EndedRows[];
}

/** Looks at every integration, reading the runs of each once. */
export async function observe(context: EngineContext): Promise<readonly Observation[]> {
  const all = await listIntegrations(context);
  return someAtOnce(all, AT_ONCE, ({ key, value }) => observeOne(context, key.sort, value));
}

/** Looks at one integration. */
export async function observeOne(context: EngineContext, id: string, item: IntegrationItem): Promise<Observation> {
  const probe = await read<ProbeItem>(context.ports.state, keys.probe(id));
  const runs = await allRuns(context, id);
  const now = context.ports.clock.now();
  const health = healthFrom(context, id, { item, runs, probe: probe?.value });
  const counted = statsFrom(id, runs, now);
  const stats = { ...counted, metrics: metricsFrom(item.document, health.connectionStatus, counted) };
  const sample = sampleOf(runs, { health, stats, createdAt: Date.parse(item.createdAt), now });
  return { integration: id, document: item.document, health, stats, sample, ended: endedSince(runs, now) };
}

function endedSince(runs: readonly KeptRun[], now: number): readonly EndedRows[] {
  return runs.flatMap(({ state, finishedAt, rows, quarantined, skipped }) => {
    if (!FINAL_STATES.includes(state) || finishedAt === undefined) return [];
    return finishedAt > now - LONGEST_DURATION * 1000 ? [{ finishedAt, rows, quarantined, skipped: skipped ?? 0 }] : [];
  });
}

/** The age is told of an integration that never ran, too: a value that is only missing would raise no alarm. */
function sampleOf(
  runs: readonly KeptRun[],
  seen: {
    readonly health: IntegrationHealth;
    readonly stats: IntegrationStats;
    readonly createdAt: number;
    readonly now: number;
  },
): Sample {
  const { health, stats, createdAt, now } = seen;
  const counted = countedRuns(runs);
  const failed = counted.filter((run) => run.state === 'failed' && (run.finishedAt ?? 0) > now - DAY_MS);
  const [last] = counted;
  const seconds = last && secondsOf(last);
  return {
    connection_status: health.connectionStatus,
    status: health.status,
    last_sync_age: health.lastSyncAgeSeconds ?? Math.max(0, Math.round((now - createdAt) / 1000)),
    run_failure_rate: stats.errorRate,
    failed_runs: failed.length,
    consecutive_failures: failuresInARow(counted),
    ...(last !== undefined &&
      seconds !== undefined && {
        sync_duration: seconds,
        sync_duration_p95: stats.seconds.p95,
        rows_per_second: seconds > 0 ? last.rows / seconds : 0,
      }),
  };
}
