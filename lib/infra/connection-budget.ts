import type { FieldIssue } from '../core/fault';
import type { DeclaredIntegration } from './declared';
import { DESTINATION_CONNECTIONS } from './env';
import { invalidContext, type StageSettings } from './stage-settings';

/** Beside those that read, two hold the snapshot of a full read. */
const SNAPSHOT_CONNECTIONS = 2;

/**
 * Refuses a stage whose functions could open more connections than the servers have: what then fails, fails at random,
 * and it is other users of the servers who are turned away.
 * @throws Fault `config`/`invalid_context`
 */
export function checkConnectionBudget(
  settings: StageSettings,
  types: readonly string[],
  declared: readonly DeclaredIntegration[],
): void {
  const issues = [
    ...destinationIssues(settings, types.length),
    ...declared.flatMap((one) => sourceIssues(settings, one)),
  ];
  if (issues.length > 0) throw invalidContext(issues);
}

function destinationIssues(
  { maxConcurrency, destinationConnections }: StageSettings,
  connectors: number,
): FieldIssue[] {
  const most = connectors * maxConcurrency * DESTINATION_CONNECTIONS;
  if (most <= destinationConnections) return [];
  const message =
    `${connectors} connectors × maxConcurrency ${maxConcurrency} × ${DESTINATION_CONNECTIONS} connections can be ` +
    `${most}; lower maxConcurrency, or raise this when the server has more`;
  return [{ path: `destinationConnections ${destinationConnections}`, message }];
}

function sourceIssues(settings: StageSettings, integration: DeclaredIntegration): FieldIssue[] {
  const workers = Math.min(integration.parallel, settings.maxConcurrency);
  const each = Math.max(integration.connections, 1) + SNAPSHOT_CONNECTIONS;
  if (workers * each <= settings.sourceConnections) return [];
  const message =
    `${integration.file}: ${workers} workers × ${each} connections can be ${workers * each}; lower its ` +
    `sync_settings.parallel or connection.max_connections, or raise this when the server has more`;
  return [{ path: `sourceConnections ${settings.sourceConnections}`, message }];
}
