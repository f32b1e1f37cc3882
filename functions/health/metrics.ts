import { stateMetrics } from '../../lib/adapters/aws/alarm-metrics';
import { type MetricRecord, metricLine } from '../../lib/adapters/aws/metrics';
import { alertRules } from '../../lib/core/alert/rule';
import { metricFlags } from '../../lib/core/metric-groups';
import type { Clock } from '../../lib/core/ports';
import type { Engine } from '../../lib/engine/engine';
import type { Observation } from '../../lib/engine/observe';

/** Writes the metrics of every integration as log lines. */
export async function writeMetrics(
  engine: Pick<Engine, 'observe'>,
  stage: string,
  clock: Clock,
  write: (line: string) => void,
): Promise<void> {
  for (const observation of await engine.observe()) {
    write(`${metricLine(recordOf(stage, observation), clock.now())}\n`);
  }
}

function recordOf(stage: string, { integration, document, health, stats, sample }: Observation): MetricRecord {
  return {
    dimensions: { Stage: stage, Integration: integration },
    metrics: stateMetrics(
      sample,
      alertRules(document).map(({ condition }) => condition),
      metricFlags(document),
    ),
    properties: {
      connector: String(document.type),
      status: health.status,
      connection: health.connectionStatus,
      ...(health.healthCheck && { healthCheck: health.healthCheck.state }),
      errorRate: health.errorRate,
      recordErrorRate: stats.recordErrorRate,
      secondsP95: stats.seconds.p95,
      rowsPerSecond: stats.rowsPerSecond,
      bytesPerSecond: stats.bytesPerSecond,
      runs: stats.runs.total,
      rows: stats.rows,
      quarantined: stats.quarantined,
      costUsd: stats.costUsd,
    },
  };
}
