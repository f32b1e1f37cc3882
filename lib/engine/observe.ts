import type { Sample } from '../core/alert/condition';
import type { IntegrationDocument } from '../core/integration';
import { FINAL_STATES } from '../core/run';
import type { IntegrationHealth, IntegrationStats } from '../core/service';
import type { EngineContext } from './context';
import { listIntegrations } from './integrations';
import type { IntegrationItem, RunItem } from './state';
import { allRuns, failuresInARow, healthFrom, secondsOf, statsFrom } from './status';

const DAY_MS = 86_400_000;

/** How one integration stands at one time. */
export interface Observation {
  readonly integration: string;
  readonly document: IntegrationDocument;
  readonly health: IntegrationHealth;
  readonly stats: IntegrationStats;
  /** The values of the condition language that are about a moment. */
  readonly sample: Sample;
}

/** Looks at every integration, reading the runs of each once. */
export async function observe(context: EngineContext): Promise<readonly Observation[]> {
  const all = await listIntegrations(context);
  return Promise.all(all.map(({ key, value }) => observeOne(context, key.sort, value)));
}

async function observeOne(context: EngineContext, id: string, item: IntegrationItem): Promise<Observation> {
  const runs = await allRuns(context, id);
  const now = context.ports.clock.now();
  const [health, stats] = [healthFrom(id, runs, now), statsFrom(id, runs, now)];
  const sample = sampleOf(runs, { health, stats, createdAt: Date.parse(item.createdAt), now });
  return { integration: id, document: item.document, health, stats, sample };
}

/** The age is told of an integration that never ran, too: a value that is only missing would raise no alarm. */
function sampleOf(
  runs: readonly RunItem[],
  seen: {
    readonly health: IntegrationHealth;
    readonly stats: IntegrationStats;
    readonly createdAt: number;
    readonly now: number;
  },
): Sample {
  const { health, stats, createdAt, now } = seen;
  const counted = runs.filter((run) => FINAL_STATES.includes(run.state) && run.state !== 'cancelled');
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
