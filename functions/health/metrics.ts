import { type MetricRecord, metricLine } from '../../lib/adapters/aws/metrics';
import type { Clock } from '../../lib/core/ports';
import type { Integration, IntegrationHealth, IntegrationStats, Service } from '../../lib/core/service';

/**
 * Writes the metrics of every integration as log lines. The age of the last sync is told for those that never ran, too:
 * since they were created. A metric that is only missing would raise no alarm.
 */
export async function writeMetrics(
  service: Service,
  stage: string,
  clock: Clock,
  write: (line: string) => void,
): Promise<void> {
  const [integrations, health, stats] = await Promise.all([service.list(), service.health(), service.stats()]);
  for (const integration of integrations) {
    const of = <T extends { readonly integration: string }>(all: readonly T[]) =>
      all.find((one) => one.integration === integration.id);
    const record = recordOf(stage, integration, of(health), of(stats), clock.now());
    write(`${metricLine(record, clock.now())}\n`);
  }
}

function recordOf(
  stage: string,
  { id, document, createdAt }: Integration,
  health: IntegrationHealth | undefined,
  stats: IntegrationStats | undefined,
  now: number,
): MetricRecord {
  const age = health?.lastSyncAgeSeconds ?? Math.max(0, Math.round((now - Date.parse(createdAt)) / 1000));
  return {
    dimensions: { Stage: stage, Integration: id },
    metrics: {
      LastSyncAge: { value: age, unit: 'Seconds' },
      ConnectionFailed: { value: health?.connectionStatus === 'failed' ? 1 : 0, unit: 'Count' },
    },
    properties: {
      connector: String(document.type),
      status: health?.status ?? 'unknown',
      errorRate: health?.errorRate ?? 0,
      runs: stats?.runs.total ?? 0,
      rows: stats?.rows ?? 0,
      quarantined: stats?.quarantined ?? 0,
      costUsd: stats?.costUsd ?? 0,
    },
  };
}
