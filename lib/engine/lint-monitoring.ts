import { alertRules } from '../core/alert/rule';
import type { FieldIssue } from '../core/fault';
import type { IntegrationDocument, IntegrationFields } from '../core/integration';
import { GROUP_OF, metricFlags, unkeptNames } from '../core/metric-groups';
import { PROBE_DEFAULTS } from './probe/settings';

const SHORT_INTERVAL = 30;

/** What is wrong in `health_checks` beyond its single fields. */
export function healthCheckIssues({ health_checks: section }: IntegrationFields): FieldIssue[] {
  if (section?.timeout === undefined) return [];
  const interval = section.interval ?? PROBE_DEFAULTS.interval;
  if (section.timeout <= interval) return [];
  const byDefault = section.interval === undefined ? ', its default' : '';
  const message = `${section.timeout} s are longer than the interval of ${interval} s${byDefault}`;
  return [{ path: 'health_checks.timeout', message }];
}

/** What of `health_checks` and `metrics` its owner may not want. */
export function lintMonitoring(document: IntegrationDocument, fields: IntegrationFields): string[] {
  return [...lintHealthChecks(fields), ...lintMetrics(document)];
}

function lintHealthChecks({ health_checks: section }: IntegrationFields): string[] {
  if (!section?.enabled) return [];
  const { interval = PROBE_DEFAULTS.interval, timeout } = section;
  const warnings: string[] = [];
  if (interval < SHORT_INTERVAL) {
    warnings.push(
      `health_checks.interval: a login at the source every ${interval} s; ${SHORT_INTERVAL} s or more find a failure soon enough`,
    );
  }
  if (timeout !== undefined && timeout >= interval) {
    warnings.push(
      'health_checks.timeout: is as long as the interval, so that a source that hangs is tested all the time',
    );
  }
  return warnings;
}

function lintMetrics(document: IntegrationDocument): string[] {
  const flags = metricFlags(document);
  return alertRules(document).flatMap(({ name: alert, condition }) =>
    unkeptNames(condition, flags).map(
      (name) =>
        `metrics.${GROUP_OF[name]}: is false, but the alert "${alert}" needs ${name}: it is measured for the alert all the same`,
    ),
  );
}

/** What a home cannot do as often as the document asks for. */
export function healthCheckWarnings(
  { health_checks: section }: IntegrationFields,
  home: { readonly everySeconds: number } | undefined,
): string[] {
  const interval = section?.interval ?? PROBE_DEFAULTS.interval;
  if (!section?.enabled || home === undefined || interval >= home.everySeconds) return [];
  return [`health_checks.interval: tests are made every ${home.everySeconds} s here, not every ${interval} s`];
}
