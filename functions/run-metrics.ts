import { runMetrics } from '../lib/adapters/aws/alarm-metrics';
import { metricLine } from '../lib/adapters/aws/metrics';
import { alertRules } from '../lib/core/alert/rule';
import { metricFlags } from '../lib/core/metric-groups';
import type { EndedRun } from '../lib/engine/ports';

/** The log line with the metrics of a run that ended: whichever function ends it writes them. */
export function runMetricLine(stage: string, run: EndedRun, now: number): string {
  const { id, integration, document, state, rows, quarantined, skipped } = run;
  const conditions = alertRules(document).map(({ condition }) => condition);
  const record = {
    dimensions: { Stage: stage, Integration: integration },
    metrics: runMetrics({ rows, quarantined, skipped }, conditions, metricFlags(document)),
    properties: { run: id, state, connector: String(document.type) },
  };
  return `${metricLine(record, now)}\n`;
}
