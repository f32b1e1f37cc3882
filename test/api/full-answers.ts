import type { Alert, AlertChange, AlertMute } from '../../lib/core/alert/alert';
import type { ChannelStatus, TestOutcome } from '../../lib/core/channel';
import type { CheckReport } from '../../lib/core/check';
import type { StreamInfo } from '../../lib/core/connector';
import type { QuarantinedRecord } from '../../lib/core/destination';
import { Fault, type FaultRecord } from '../../lib/core/fault';
import type { HealthCheck, IntegrationMetrics } from '../../lib/core/health';
import type { Run, RunDetails, StreamRun } from '../../lib/core/run';
import type { SearchResult } from '../../lib/core/search';
import type {
  ConnectorInfo,
  Credential,
  Integration,
  IntegrationFigures,
  IntegrationHealth,
  IntegrationStats,
  IntegrationStatus,
  Plan,
  Redriven,
  ReplayResult,
  WebhookRun,
} from '../../lib/core/service';

// Every optional field is filled in: a field that is new in lib/core fails here first, and then in the test that
// holds every answer against its schema, until the API describes it.
type Full<T> = T extends Fault
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Full<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]-?: Full<Exclude<T[Key], undefined>> }
      : T;

const AT = '2026-01-02T03:04:05.678Z';

const fault: Full<FaultRecord> = { kind: 'config', code: 'table_gone', message: 'reading orders: gone', hint: 'Look.' };

const counts = { rows: 10, bytes: 2048, slices: 2, retries: 1, quarantined: 1, skipped: 0 };

export const run: Full<Run> = {
  ...counts,
  id: 'run-1',
  integration: 'sales',
  requested: 'full',
  trigger: 'manual',
  state: 'running',
  createdAt: AT,
  startedAt: AT,
  finishedAt: AT,
  seconds: 1.5,
  fault,
  cost: { usd: 0.000012, basis: 'arm64, prices of 2026-01' },
  cancelRequested: false,
};

export const redriven: Full<Redriven> = {
  integration: 'sales',
  run: 'run-1',
  outcome: 'started',
  started: 'run-2',
  note: 'a new one takes its place',
};

export const webhookRun: Full<WebhookRun> = { integration: 'sales', run: 'run-1', state: 'queued', joined: true };

const streamRun: Full<StreamRun> = {
  ...counts,
  stream: 'orders',
  state: 'running',
  mode: 'incremental',
  reason: 'updated_at is indexed',
  slicesDone: 1,
  estimatedRows: 20,
  changes: ['added column email (text)'],
  notes: ['no index'],
  fault,
  startedAt: AT,
  finishedAt: AT,
};

export const runDetails: Full<RunDetails> = { ...run, streams: [streamRun] };

export const integration: Full<Integration> = {
  id: 'sales',
  document: { name: 'sales', type: 'postgresql' },
  revision: 1,
  createdAt: AT,
  updatedAt: AT,
  warnings: ['data_quality does nothing yet'],
};

export const alert: Full<Alert> = {
  integration: 'sales',
  name: 'Data Staleness',
  slug: 'data-staleness',
  condition: "last_sync_age > '2h'",
  duration: '10m',
  severity: 'warning',
  channels: ['email'],
  state: 'firing',
  since: AT,
  lookedAt: AT,
  values: { last_sync_age: 7300 },
  toldAt: AT,
  acknowledged: { at: AT, by: 'ann', comment: 'on it' },
  mutedUntil: AT,
};

export const alertChange: Full<AlertChange> = {
  id: 'change-1',
  at: AT,
  alert: 'data-staleness',
  name: 'Data Staleness',
  change: 'resolved',
  severity: 'warning',
  values: { last_sync_age: 12 },
  reason: 'the integration is paused',
  by: 'ann',
  comment: 'on it',
};

export const alertMute: Full<AlertMute> = {
  id: 'mute-1',
  integration: 'sales',
  alert: 'data-staleness',
  from: AT,
  until: AT,
  by: 'ann',
  comment: 'moving house',
};

const healthCheck: Full<HealthCheck> = {
  state: 'failed',
  reason: 'none',
  at: AT,
  since: AT,
  lastSuccess: AT,
  consecutiveFailures: 2,
  milliseconds: 12,
  step: 'connect',
  fault,
  nextAt: AT,
  recent: [{ at: AT, passed: false, milliseconds: 12, attempts: 4, step: 'connect' }],
};

const durations = { p50: 1, p95: 2, max: 3 };

const metrics: Full<IntegrationMetrics> = {
  connectionStatus: 'connected',
  syncPerformance: { seconds: durations, rowsPerSecond: 50, bytesPerSecond: 500 },
  errorRates: { runs: 0.2, records: 0.01 },
  dataFreshness: { lastSyncAgeSeconds: 60 },
};

export const status: Full<IntegrationStatus> = {
  integration: 'sales',
  state: 'running',
  enabled: true,
  connectionStatus: 'failed',
  healthCheck,
  running: { ...runDetails, id: 'run-7' },
  progress: { rows: 5, bytes: 50, estimatedRows: 10, fraction: 0.5, secondsLeft: 3, rowsPerSecond: 2 },
  lastRun: runDetails,
  queued: ['run-8'],
  freshness: { at: AT, seconds: 12 },
  nextRun: AT,
  lastFault: { ...fault, at: AT, stream: 'orders' },
  firingAlerts: [alert],
  warnings: ['change it'],
};

export const health: Full<IntegrationHealth> = {
  integration: 'sales',
  status: 'degraded',
  connectionStatus: 'connected',
  errorRate: 0.1,
  lastSyncAgeSeconds: 60,
  detail: 'one of ten runs failed',
  healthCheck,
  metrics,
};

export const channelStatus: Full<ChannelStatus> = {
  channel: 'email',
  state: 'failing',
  waiting: 3,
  sent: 2,
  givenUp: 1,
  lastSuccess: AT,
  lastFault: { ...fault, at: AT },
  missing: fault,
  nextAttempt: AT,
  usedBy: ['sales'],
};

export const testOutcome: Full<TestOutcome> = { channel: 'email', sent: false, fault };

export const stats: Full<IntegrationStats> = {
  integration: 'sales',
  runs: { total: 5, succeeded: 2, partial: 1, failed: 1, cancelled: 1 },
  rows: 100,
  bytes: 1000,
  quarantined: 1,
  skipped: 2,
  errorRate: 0.2,
  recordErrorRate: 0.03,
  seconds: durations,
  rowsPerSecond: 50,
  bytesPerSecond: 500,
  days: [{ day: '2026-01-02', runs: 5, failed: 1, rows: 100, bytes: 1000, quarantined: 1 }],
  costUsd: 0.001,
  freshnessSeconds: 60,
  metrics,
};

export const figures: Full<IntegrationFigures> = {
  integration: 'sales',
  type: 'postgresql',
  enabled: true,
  health,
  stats,
};

export const plan: Full<Plan> = {
  integration: 'sales',
  streams: [
    {
      stream: 'orders',
      mode: 'incremental',
      cursor: 'updated_at',
      reason: 'updated_at is indexed',
      key: ['id'],
      estimatedRows: 10,
      estimatedBytes: 100,
      schema: 'sales',
      warnings: ['nullable'],
      fault,
    },
  ],
  warnings: ['none'],
};

export const checkReport: Full<CheckReport> = {
  passed: true,
  steps: [
    {
      name: 'resolve',
      state: 'passed',
      detail: 'found',
      hint: 'nothing to do',
      kind: 'transient',
      code: 'unknown_host',
      milliseconds: 1.5,
    },
  ],
};

export const streamInfo: Full<StreamInfo> = {
  schema: {
    stream: 'orders',
    columns: [{ name: 'orderId', type: 'int64', nullable: false, native: 'postgresql/int8' }],
    key: ['orderId'],
  },
  modes: ['full', 'incremental'],
  estimate: { rows: 10, bytes: 100 },
  cursors: [{ column: 'updatedAt', nullable: true, indexed: false, coarse: false, sequence: true }],
  notes: ['no key'],
  unreadable: new Fault('config', 'denied', 'reading orders: permission denied', { hint: 'Grant SELECT.' }),
};

export const replayResult: Full<ReplayResult> = {
  outcomes: [
    { id: '1', stream: 'orders', state: 'failed', reasons: [{ message: 'too small', field: 'total', rule: 'range' }] },
  ],
  next: '1',
};

export const quarantinedRecord: Full<QuarantinedRecord> = {
  id: 'q-1',
  stream: 'orders',
  run: 'run-1',
  reason: 'not an e-mail address',
  field: 'eMail',
  rule: 'email_format',
  reasons: [{ message: 'not an e-mail address', field: 'eMail', rule: 'email_format' }],
  op: 'insert',
  partition: '0',
  load: 'run-1.0',
  configuration: '0123456789abcdef',
  record: { orderId: '1', eMail: 'nobody', Nested: { someKey: null } },
  at: AT,
  edited: { at: AT, fields: ['eMail'] },
  problem: 'the key is not here',
};

export const credential: Full<Credential> = {
  name: 'DB_PASSWORD',
  store: 'environment',
  usedBy: ['sales'],
  changedAt: AT,
  ageSeconds: 86_400,
  dueAt: AT,
  state: 'due_soon',
  fault,
};

export const connectorInfo: ConnectorInfo = {
  type: 'postgresql',
  title: 'PostgreSQL',
  modes: ['full', 'incremental'],
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { name: { type: 'string' }, connection: { $ref: '#/$defs/connectionSettings' } },
    $defs: { connectionSettings: { type: 'object', properties: { host: { type: 'string' } } } },
  },
};

export const searchResult: Full<SearchResult> = {
  hits: [
    {
      integration: 'sales',
      stream: 'orders',
      key: { orderId: '1' },
      match: 'words',
      score: 1.060793,
      highlights: [{ field: 'shipTo', parts: [{ text: 'Main Street', match: true }] }],
      record: { shipTo: 'Main Street 1' },
    },
  ],
  next: 'Wy4uLl0',
  warnings: ['none'],
};
