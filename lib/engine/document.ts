import { alertIssues } from '../core/alert/rule';
import { invalidConfig, parseConfig } from '../core/config';
import type { Connector } from '../core/connector';
import { checkSchedule } from '../core/cron-schedule';
import { Fault, type FieldIssue } from '../core/fault';
import {
  type IntegrationDocument,
  type IntegrationFields,
  integrationFields,
  RESERVED_NAMES,
} from '../core/integration';
import type { CredentialStores } from '../core/ports';
import { wantedMode } from '../core/sync-mode';
import { NO_STORES } from './credential-store';
import { lintDocument } from './lint';
import { healthCheckIssues, healthCheckWarnings } from './lint-monitoring';
import { forgottenSecrets } from './masking';

/** Sections that are understood and kept, but do nothing yet. */
const IDLE = ['alerts'];

const ANY_SCHEDULE = '0 0 * * *';

/** Settings that mean something to one type of system only. */
const MEANT_FOR: { readonly [setting: string]: string } = {
  change_streams: 'mongodb',
  partition_field: 'google_bigquery',
  auto_offset_reset: 'kafka',
};

/** A document whose every field was checked. */
export interface CheckedDocument {
  readonly document: IntegrationDocument;
  readonly fields: IntegrationFields;
  readonly connector: Connector;
  readonly warnings: readonly string[];
}

/** What of a home decides which sections do something. */
export interface HomeAbilities {
  /** There where something rings alerts. */
  readonly alarms?: unknown;
  /** There where alerts are evaluated in process. */
  readonly evaluator?: unknown;
  /** There where connections are tested regularly. */
  readonly healthChecks?: { readonly everySeconds: number };
  /** There where people are told what happened. */
  readonly notifications?: unknown;
  /** There where files of credentials are read. */
  readonly credentialStores?: Pick<CredentialStores, 'check'>;
  /** Checks steps and rules as far as can be done without a stream. @throws Fault `config`/`invalid_config` */
  checkPipeline?(fields: IntegrationFields): Promise<void>;
}

/**
 * Checks a whole document. References to secrets are not resolved. Without a home, what depends on it is not checked: for a
 * document that was checked when it was stored.
 * @throws Fault `config`/`invalid_config` with every wrong field
 */
export async function checkDocument(
  input: unknown,
  loadConnector: (type: string) => Promise<Connector>,
  home?: HomeAbilities,
): Promise<CheckedDocument> {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) {
    throw invalidConfig([{ path: '', message: 'expected a JSON object with "name", "type" and "connection"' }]);
  }
  const document = input as IntegrationDocument;
  const connector = await connectorOf(document, loadConnector);
  const [own, common] = split(document, connector);
  const issues: FieldIssue[] = [];
  const fields = collect(issues, () => parseConfig(integrationFields, common, connector.keys));
  collect(issues, () => connector.validate(own));
  issues.push(...forgottenSecrets(document, connector));
  if (fields) {
    issues.push(...furtherIssues(fields, connector));
    if (home) issues.push(...storeIssues(fields, home));
    await home?.checkPipeline?.(fields).catch((error) => noteIssues(issues, error));
  }
  if (issues.length > 0 || !fields) throw invalidConfig(issues);
  return {
    document,
    fields,
    connector,
    warnings: [...warningsOf(fields, home ?? {}), ...lintDocument(document, fields)],
  };
}

async function connectorOf(document: IntegrationDocument, loadConnector: (type: string) => Promise<Connector>) {
  const type = document.type;
  if (typeof type !== 'string') {
    throw invalidConfig([{ path: 'type', message: 'expected the type of the external system, such as "postgresql"' }]);
  }
  try {
    return await loadConnector(type);
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'config' || error.issues !== undefined) throw error;
    throw invalidConfig([{ path: 'type', message: error.message }]);
  }
}

/** The keys of the connector and the common ones. */
export function split(document: IntegrationDocument, connector: Connector): [IntegrationDocument, IntegrationDocument] {
  const own = new Set(connector.keys);
  const entries = Object.entries(document);
  return [
    Object.fromEntries(entries.filter(([key]) => own.has(key))),
    Object.fromEntries(entries.filter(([key]) => !own.has(key))),
  ];
}

function collect<T>(issues: FieldIssue[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    noteIssues(issues, error);
    return undefined;
  }
}

function noteIssues(issues: FieldIssue[], error: unknown): void {
  if (!(error instanceof Fault) || error.issues === undefined) throw error;
  issues.push(...error.issues);
}

function furtherIssues(fields: IntegrationFields, connector: Connector): FieldIssue[] {
  const issues: FieldIssue[] = [];
  if (RESERVED_NAMES.includes(fields.name)) {
    issues.push({ path: 'name', message: `"${fields.name}" is reserved, it is a path of the API` });
  }
  if (wantedMode(fields) === 'changes' && !connector.modes.includes('changes')) {
    const path = fields.sync_strategy?.type === 'cdc' ? 'sync_strategy.type' : 'sync_settings.mode';
    issues.push({ path, message: `${connector.type} offers ${connector.modes.join(' and ')} in this version` });
  }
  issues.push(...strategyIssues(fields), ...alertIssues(fields.alerts), ...healthCheckIssues(fields));
  const { schedule, time_zone: timeZone } = fields.sync_settings ?? {};
  const { name: integration } = fields;
  // Each alone, so that both are reported when both are wrong.
  if (schedule !== undefined) collect(issues, () => checkSchedule({ integration, cron: schedule, timeZone: 'UTC' }));
  if (timeZone !== undefined) collect(issues, () => checkSchedule({ integration, cron: ANY_SCHEDULE, timeZone }));
  return issues;
}

const METHODS = { full: undefined, incremental: 'timestamp', cdc: 'database_logs' } as const;

function strategyIssues({ sync_strategy: strategy }: IntegrationFields): FieldIssue[] {
  const { type, method } = strategy ?? {};
  if (type === undefined || method === undefined || METHODS[type] === method) return [];
  const of = METHODS[type];
  const instead = of === undefined ? 'leave it out' : `it is "${of}"`;
  return [{ path: 'sync_strategy.method', message: `"${method}" is none of the type "${type}"; ${instead}` }];
}

function storeIssues({ credential_store: store }: IntegrationFields, home: HomeAbilities): readonly FieldIssue[] {
  if (store === undefined) return [];
  return home.credentialStores?.check(store) ?? [{ path: 'credential_store', message: NO_STORES }];
}

function warningsOf(fields: IntegrationFields, home: HomeAbilities): string[] {
  const rings = home.alarms !== undefined || home.evaluator !== undefined;
  const idle = IDLE.filter((section) => section !== 'alerts' || !rings);
  const warnings = idle
    .filter((section) => fields[section as keyof IntegrationFields] !== undefined)
    .map((section) => `${section}: kept, but does nothing in this version`);
  if (fields.error_handling?.notification && home.notifications === undefined) {
    warnings.push('error_handling.notification: kept, but nobody is notified in this version');
  }
  warnings.push(...healthCheckWarnings(fields, home.healthChecks), ...captureWarnings(fields));
  for (const [setting, type] of Object.entries(MEANT_FOR)) {
    if (fields.sync_settings && setting in fields.sync_settings && fields.type !== type) {
      warnings.push(`sync_settings.${setting}: means nothing for ${fields.type}`);
    }
  }
  return warnings;
}

const OF_CDC = ['capture_deletes', 'capture_schema_changes'] as const;

function captureWarnings(fields: IntegrationFields): string[] {
  const { sync_strategy: strategy } = fields;
  if (strategy === undefined || wantedMode(fields) === 'changes') return [];
  return OF_CDC.filter((setting) => strategy[setting] !== undefined).map(
    (setting) => `sync_strategy.${setting}: means nothing where changes are not followed`,
  );
}

/** The connector of a stored document; `undefined` when its type is not known any more. */
export async function connectorOfStored(
  document: IntegrationDocument,
  loadConnector: (type: string) => Promise<Connector>,
): Promise<Connector | undefined> {
  try {
    return await connectorOf(document, loadConnector);
  } catch (error) {
    if (error instanceof Fault && error.kind === 'config') return undefined;
    throw error;
  }
}
