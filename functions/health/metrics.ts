import { stateMetrics } from '../../lib/adapters/aws/alarm-metrics';
import { type MetricRecord, metricLine } from '../../lib/adapters/aws/metrics';
import { alertRules } from '../../lib/core/alert/rule';
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
    ),
    properties: {
      connector: String(document.type),
      status: health.status,
      errorRate: health.errorRate,
      runs: stats.runs.total,
      rows: stats.rows,
      quarantined: stats.quarantined,
      costUsd: stats.costUsd,
    },
  };
}
