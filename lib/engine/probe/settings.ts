import type { IntegrationDocument } from '../../core/integration';
import { monitoringFields } from '../../core/integration-sections';
import type { EnginePorts } from '../ports';
import { isOutsideVpn } from '../vpn';

/** How the connection of an integration is to be tested; times are milliseconds. */
export interface ProbeSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Attempts after the first. */
  readonly retries: number;
}

/** In seconds, where a document does not say. */
export const PROBE_DEFAULTS = { interval: 300, timeout: 30, retries: 3 };

/** What a document asks for; `undefined` where it asks for no tests. */
export function probeSettings(document: IntegrationDocument): ProbeSettings | undefined {
  // A document that another version has stored may be wrong.
  const { data: section } = monitoringFields.health_checks.safeParse(document.health_checks);
  if (!section?.enabled) return undefined;
  const interval = section.interval ?? PROBE_DEFAULTS.interval;
  return {
    intervalMs: interval * 1000,
    timeoutMs: (section.timeout ?? Math.min(PROBE_DEFAULTS.timeout, interval)) * 1000,
    retries: section.retry_attempts ?? PROBE_DEFAULTS.retries,
  };
}

/** Why no tests are made that the document asks for; `undefined` where they are. */
export function whyNotProbed(ports: EnginePorts, document: IntegrationDocument): string | undefined {
  if (document.enabled === false) return 'the integration is paused';
  if (isOutsideVpn(ports, document)) {
    return 'the source is behind the VPN, and tests are made from outside of it; syncs show whether it is reached';
  }
  return ports.healthChecks === undefined ? 'this home makes no tests by itself' : undefined;
}
