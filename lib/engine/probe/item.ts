import type { FaultRecord } from '../../core/fault';
import type { HealthCheck, HealthCheckResult } from '../../core/health';
import type { IntegrationDocument } from '../../core/integration';
import type { EnginePorts } from '../ports';
import type { IntegrationItem, Lease } from '../state';
import { isoTime } from '../views';
import { nextProbeAt } from './due';
import { probeSettings, whyNotProbed } from './settings';

/** Tests that are remembered. */
export const MOST_REMEMBERED = 20;

/** One test that has ended. */
export interface ProbeResult {
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly passed: boolean;
  readonly milliseconds: number;
  readonly attempts: number;
  readonly step?: string;
}

/** What is stored of the tests of one integration's connection. */
export interface ProbeItem {
  /** Of whoever tests it now. */
  readonly lease?: Lease | undefined;
  /** Newest first. */
  readonly recent: readonly ProbeResult[];
  readonly since?: number;
  readonly lastSuccess?: number;
  readonly failures: number;
  /** Of the last one, where it failed. */
  readonly fault?: FaultRecord;
}

/** Before the first test. */
export const NEVER_PROBED: ProbeItem = { recent: [], failures: 0 };

/** The item after a test, free for the next. */
export function afterProbe(item: ProbeItem, result: ProbeResult, fault: FaultRecord | undefined): ProbeItem {
  const [before] = item.recent;
  const since = before?.passed === result.passed ? item.since : undefined;
  const lastSuccess = result.passed ? result.at : item.lastSuccess;
  return {
    recent: [result, ...item.recent].slice(0, MOST_REMEMBERED),
    since: since ?? result.at,
    failures: result.passed ? 0 : item.failures + 1,
    ...(lastSuccess !== undefined && { lastSuccess }),
    ...(fault && { fault }),
  };
}

/** How the tests of an integration stand; `undefined` where its document asks for none. */
export function viewHealthCheck(
  ports: EnginePorts,
  { document, updatedAt }: Pick<IntegrationItem, 'document' | 'updatedAt'>,
  item: ProbeItem | undefined,
): HealthCheck | undefined {
  const settings = probeSettings(document);
  if (settings === undefined) return undefined;
  const now = ports.clock.now();
  const { recent, since, lastSuccess, failures, fault } = item ?? NEVER_PROBED;
  const [last] = recent;
  const reason = whyNotProbed(ports, document);
  const nextAt = nextProbeAt({ ...settings, changedAt: Date.parse(updatedAt), lastAt: last?.at }, now);
  return {
    state: reason !== undefined ? 'not_probed' : last === undefined ? 'waiting' : last.passed ? 'passed' : 'failed',
    ...(reason !== undefined ? { reason } : { nextAt: isoTime(Math.max(now, nextAt)) }),
    consecutiveFailures: failures,
    ...(last && { at: isoTime(last.at), milliseconds: last.milliseconds }),
    ...(last?.step !== undefined && { step: last.step }),
    ...(since !== undefined && { since: isoTime(since) }),
    ...(lastSuccess !== undefined && { lastSuccess: isoTime(lastSuccess) }),
    ...(fault && { fault }),
    recent: recent.map(viewResult),
  };
}

function viewResult({ at, ...rest }: ProbeResult): HealthCheckResult {
  return { at: isoTime(at), ...rest };
}

/** The test that says how the connection stands; `undefined` where none does. */
export function lastProbe(document: IntegrationDocument, item: ProbeItem | undefined): ProbeItem | undefined {
  return item === undefined || item.recent.length === 0 || probeSettings(document) === undefined ? undefined : item;
}
