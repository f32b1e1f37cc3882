import type { IntegrationDocument, IntegrationFields } from '../core/integration';
import type { Json } from '../core/json';
import { wantedMode } from '../core/sync-mode';
import { lintMonitoring } from './lint-monitoring';
import { keepsShapes } from './schema-policy';

/** Types that use no TLS unless `connection.ssl` says so. */
const UNENCRYPTED = ['postgresql'];

/** Types that keep their log until it was read. */
const KEEPING = ['postgresql', 'aws_rds'];

/** Steps that can refuse a record. */
const REFUSING = ['data_type_conversion', 'expression', 'filter', 'flatten'];

/** What a document allows that its owner may not want, as `path: consequence, and what to do`. */
export function lintDocument(document: IntegrationDocument, fields: IntegrationFields): string[] {
  return [
    ...lintReading(document, fields),
    ...lintNetwork(document, fields),
    ...lintPipeline(fields),
    ...lintMonitoring(document, fields),
    ...lintWebhook(fields),
    ...lintPausedChanges(fields),
  ];
}

function lintReading(document: IntegrationDocument, { type, sync_settings: settings }: IntegrationFields): string[] {
  const warnings: string[] = [];
  if (type === 'kafka' && settings?.auto_offset_reset === 'latest') {
    warnings.push(
      'sync_settings.auto_offset_reset: "latest" never reads what was in the topics before the first sync; "earliest" does',
    );
  }
  if (has(document.connection, 'access_key_id')) {
    warnings.push(
      'connection.access_key_id: a key that does not expire lies in a secret; in AWS leave it out and give the role of the function the rights',
    );
  }
  return warnings;
}

function lintNetwork(document: IntegrationDocument, { type, network_security: security }: IntegrationFields): string[] {
  if (security?.require_ssl !== true) return [];
  const { ssl, uri, host } = (document.connection ?? {}) as { readonly [field: string]: Json };
  const isSocket = typeof host === 'string' && host.startsWith('/');
  if (ssl === false || (ssl === undefined && uri === undefined && UNENCRYPTED.includes(type))) {
    if (isSocket) return [];
    return ['connection.ssl: without it network_security.require_ssl refuses every connection; set it to true'];
  }
  const isOff = has(ssl, 'verification') && (ssl as { readonly verification: Json }).verification === 'off';
  if (security.ssl_verification !== false && !isOff) return [];
  return [
    'network_security.require_ssl: without verification anybody on the way can pretend to be the server; set ssl_verification to true',
  ];
}

function lintPipeline({ transformations = [], validation_rules: rules = [], ...fields }: IntegrationFields): string[] {
  const warnings = transformations.flatMap((step, index) =>
    step.type === 'hash' && step.key === undefined
      ? [`transformations[${index}].key: without a key whoever guesses a value can check the guess; use a secret`]
      : [],
  );
  const handling = fields.error_handling;
  const isWatched = fields.alerts?.some(({ condition }) => /quarantine|error_rate/.test(condition)) === true;
  const canRefuse =
    rules.length > 0 || transformations.some(({ type }) => REFUSING.includes(type)) || keepsShapes(fields);
  if (canRefuse && (handling?.strategy ?? 'quarantine') === 'quarantine' && !handling?.notification && !isWatched) {
    warnings.push(
      'error_handling.notification: nobody is told of records in quarantine; set it to true, or make an alert of quarantined_rows',
    );
  }
  if (handling?.strategy === 'skip' && !isWatched) {
    warnings.push(
      'error_handling.strategy: "skip" loses records that fail, they are only counted; "quarantine" keeps them',
    );
  }
  return warnings;
}

function lintWebhook(fields: IntegrationFields): string[] {
  if (fields.webhook_config === undefined) return [];
  if (fields.enabled === false) {
    return ['webhook_config: calls are refused while the integration is paused; set enabled to true'];
  }
  if (wantedMode(fields) !== 'full') return [];
  return ['webhook_config: every call reads everything; with the mode incremental it reads what is new'];
}

function lintPausedChanges(fields: IntegrationFields): string[] {
  if (fields.enabled !== false || wantedMode(fields) !== 'changes' || !KEEPING.includes(fields.type)) return [];
  return [
    'enabled: the source keeps its log for whoever follows it, also while the integration is paused, until its disk is full; set max_slot_wal_keep_size there, or remove the integration',
  ];
}

function has(value: Json | undefined, name: string): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && name in value;
}

/** A schedule that comes round before a sync of the same length could end. Seconds. */
export function lintSchedule(everySeconds: number | undefined, lastSeconds: number | undefined): string[] {
  if (everySeconds === undefined || lastSeconds === undefined || lastSeconds <= everySeconds) return [];
  const [every, last] = [Math.round(everySeconds / 60), Math.round(lastSeconds / 60)];
  return [
    `sync_settings.schedule: comes every ${every} min, and the last sync took ${last} min: what is due while a sync runs is left out; give it more time, or read incrementally`,
  ];
}
