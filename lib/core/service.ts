import type { Alert, AlertChange, AlertMute, MuteRequest } from './alert/alert';
import type { ChannelStatus, TestOutcome } from './channel';
import type { CheckReport } from './check';
import type { StreamInfo } from './connector';
import type { QuarantinedRecord, QuarantineQuery } from './destination';
import type { FaultRecord } from './fault';
import type { DayOfRuns, Durations, HealthCheck, IntegrationMetrics } from './health';
import type { IntegrationDocument } from './integration';
import type { Json } from './json';
import type { SecretStore } from './ports';
import type { FieldValues, QuarantineFilter, ReplayOutcome } from './quarantine';
import type { Run, RunDetails, RunState, RunTrigger } from './run';
import type { SearchRequest, SearchResult } from './search';
import type { SignatureHeaders } from './webhook-signature';

/** A stored integration. Secrets written into the document are shown as `[secret]`; references stay as they are. */
export interface Integration {
  /** The name of the integration. */
  readonly id: string;
  readonly document: IntegrationDocument;
  /** Grows with each update; the API's ETag. */
  readonly revision: number;
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** What is accepted but does nothing yet, and what the owner should know. */
  readonly warnings: readonly string[];
}

/** What one stream's sync would do, and why. */
export interface PlannedStream {
  readonly stream: string;
  readonly mode: 'full' | 'incremental' | 'changes';
  readonly cursor?: string;
  /** Why this mode and cursor, in a sentence. */
  readonly reason: string;
  readonly key: readonly string[];
  readonly estimatedRows?: number;
  readonly estimatedBytes?: number;
  /** Name of the integration's schema in the destination. */
  readonly schema: string;
  readonly warnings: readonly string[];
  readonly fault?: FaultRecord;
}

/** What a sync would do. */
export interface Plan {
  readonly integration: string;
  readonly streams: readonly PlannedStream[];
  readonly warnings: readonly string[];
}

/** How to start a sync. */
export interface SyncRequest {
  readonly type?: 'full' | 'incremental';
  readonly trigger: RunTrigger;
  /** When a run of the integration is going on: refuse (fault `config`/`run_active`, hint names the run) or wait for it. */
  readonly whenRunning: 'refuse' | 'queue';
  /** Two requests with the same key start one run. */
  readonly idempotencyKey?: string;
}

/** A call of a webhook, as it came. */
export interface WebhookCall extends SignatureHeaders {
  /** As in `/webhooks/data-update`. */
  readonly path: string;
  /** What is signed. It is not looked at otherwise. */
  readonly body: Uint8Array;
  /** Two calls with the same key start one run of each integration. */
  readonly idempotencyKey?: string;
}

/** The run of one integration that a call of its webhook leads to. */
export interface WebhookRun {
  readonly integration: string;
  /** Its id. */
  readonly run: string;
  readonly state: RunState;
  /** It was there already: it waits for its turn, or the same call has come before. */
  readonly joined: boolean;
}

/** How far a running sync has come. */
export interface Progress {
  readonly rows: number;
  readonly bytes: number;
  /** Absent when no source estimate exists. */
  readonly estimatedRows?: number;
  /** 0 to 1. */
  readonly fraction?: number;
  readonly secondsLeft?: number;
  readonly rowsPerSecond: number;
}

/** How an integration stands. Times are ISO 8601 in UTC. */
export interface IntegrationStatus {
  readonly integration: string;
  /** `idle` before the first run; else the state of the running or last run. */
  readonly state: 'idle' | RunState;
  readonly enabled: boolean;
  /** What the newer of the last run and the last connection test showed. */
  readonly connectionStatus: IntegrationHealth['connectionStatus'];
  /** Where the document asks for regular connection tests. */
  readonly healthCheck?: HealthCheck;
  readonly running?: RunDetails;
  readonly progress?: Progress;
  readonly lastRun?: RunDetails;
  readonly queued: readonly string[];
  /** When data was last brought up to date, and how many seconds ago. */
  readonly freshness?: { readonly at: string; readonly seconds: number };
  readonly nextRun?: string;
  readonly lastFault?: FaultRecord & { readonly at: string; readonly stream?: string };
  /** Absent where something else than this home rings alerts. */
  readonly firingAlerts?: readonly Alert[];
  /** What the owner should do soon, such as changing a credential. */
  readonly warnings: readonly string[];
}

/** One integration's health: what its runs and connection tests have shown. */
export interface IntegrationHealth {
  readonly integration: string;
  readonly status: 'healthy' | 'degraded' | 'failed' | 'unknown';
  readonly connectionStatus: 'connected' | 'failed' | 'unknown';
  /** Share of failed runs among the last ones, 0 to 1. */
  readonly errorRate: number;
  readonly lastSyncAgeSeconds?: number;
  readonly detail: string;
  /** Where the document asks for regular connection tests. */
  readonly healthCheck?: HealthCheck;
  /** Over the last 200 runs. */
  readonly metrics: IntegrationMetrics;
}

/** Counts over the runs that are kept. */
export interface IntegrationStats {
  readonly integration: string;
  readonly runs: {
    readonly total: number;
    readonly succeeded: number;
    readonly partial: number;
    readonly failed: number;
    readonly cancelled: number;
  };
  readonly rows: number;
  readonly bytes: number;
  readonly quarantined: number;
  readonly skipped: number;
  /** Failed runs among those that ended by themselves, 0 to 1. */
  readonly errorRate: number;
  /** Records that were quarantined or skipped, among all, 0 to 1. */
  readonly recordErrorRate: number;
  /** By the nearest rank: always the time of one of the runs. */
  readonly seconds: Durations;
  readonly rowsPerSecond: number;
  readonly bytesPerSecond: number;
  /** The last 30 days in UTC, oldest first. */
  readonly days: readonly DayOfRuns[];
  readonly costUsd: number;
  readonly freshnessSeconds?: number;
  readonly metrics: IntegrationMetrics;
}

/** Everything that is measured of one integration, for programs that gather it. */
export interface IntegrationFigures {
  readonly integration: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly health: IntegrationHealth;
  readonly stats: IntegrationStats;
}

/** One credential that integrations refer to: where it is kept and how old it is, never its value. */
export interface Credential {
  /** As in `${NAME}`. */
  readonly name: string;
  /** Absent where it is in none of the stores, or the store cannot be read. */
  readonly store?: SecretStore;
  /** The integrations that refer to it. */
  readonly usedBy: readonly string[];
  /** ISO 8601 in UTC; of the environment: when the value was first seen. */
  readonly changedAt?: string;
  readonly ageSeconds?: number;
  /** When the strictest `rotation_policy` of its integrations wants it changed. */
  readonly dueAt?: string;
  /** `due_soon` from 14 days before `dueAt`; `missing`: no store has it; `unknown`: see the fault. */
  readonly state: 'ok' | 'due_soon' | 'overdue' | 'missing' | 'unknown';
  readonly fault?: FaultRecord;
}

/** A type of system that can be connected. */
export interface ConnectorInfo {
  readonly type: string;
  readonly title: string;
  readonly modes: readonly string[];
  /** JSON Schema of a whole integration document of this type. */
  readonly schema: { readonly [key: string]: Json };
}

/** Which quarantined records to replay. */
export interface ReplayOrder {
  readonly filter: QuarantineFilter;
  /** Nothing is changed; the outcomes are those that would be. */
  readonly dryRun: boolean;
  readonly limit: number;
  /** `next` of the part before. */
  readonly after?: string;
}

/** What became of them. */
export interface ReplayResult {
  readonly outcomes: readonly ReplayOutcome[];
  /** Where to go on; absent when all were seen. */
  readonly next?: string;
}

/** Which runs to list: newest first, after the run with id `after`. */
export interface RunQuery {
  readonly limit: number;
  readonly after?: string;
}

/** Which dead letters to redrive: all of them, those of one integration, or those of one run. */
export interface RedriveQuery {
  readonly integration?: string;
  readonly run?: string;
}

/** What became of one dead letter: a message that could not be handled, however often it was received. */
export interface Redriven {
  /** Absent where the letter is no message of ours. */
  readonly integration?: string;
  /** The run that the letter is about; absent for a tick of a schedule. */
  readonly run?: string;
  /**
   * `resent`: its run was still going on and was sent to the workers again. `started`: a new run was started, in the place
   * of one that had been ended as failed, or of a tick. `removed`: nothing is left to do. `kept`: the letter stays where
   * it is; the note says why.
   */
  readonly outcome: 'resent' | 'started' | 'removed' | 'kept';
  /** Id of the run that was started. */
  readonly started?: string;
  /** What was done, in words. */
  readonly note: string;
}

/**
 * All that can be asked of an ExplorerIO, whatever its home; the API and the CLI are thin layers above it.
 * Every method throws only `Fault`; an unknown integration or run is `config`/`not_found`, a wrong revision
 * `config`/`revision_conflict`, a name that is taken `config`/`already_exists`, a wrong document `config`/`invalid_config`.
 */
export interface Service {
  connectors(): Promise<readonly ConnectorInfo[]>;
  /** Checks a document without storing it; gives its warnings. */
  validate(document: unknown): Promise<readonly string[]>;
  create(document: unknown): Promise<Integration>;
  list(): Promise<readonly Integration[]>;
  get(id: string): Promise<Integration>;
  /** Replaces the document. A secret given as `[secret]` keeps its stored value. `revision` undefined: whatever is stored. */
  update(id: string, document: unknown, revision: number | undefined): Promise<Integration>;
  /** Refused while it runs. `data`: also remove everything it stored in the destination. */
  remove(id: string, options: { readonly revision?: number; readonly data: boolean }): Promise<void>;
  /** `target`: the id of a stored integration, or a document. */
  check(target: string | IntegrationDocument, signal: AbortSignal): Promise<CheckReport>;
  discover(target: string | IntegrationDocument, signal: AbortSignal): Promise<readonly StreamInfo[]>;
  plan(target: string | IntegrationDocument, signal: AbortSignal): Promise<Plan>;
  sync(id: string, request: SyncRequest): Promise<Run>;
  /**
   * Syncs every integration whose webhook has this path and whose secret has made the signature. A run that goes on does
   * not count: what changed after it was read is synced by one more. A path that none has is `config`/`not_found`, a
   * signature of none `config`/`signature_invalid`; where all of them are paused it is `config`/`integration_disabled`.
   */
  webhook(call: WebhookCall): Promise<readonly WebhookRun[]>;
  /** Resolves when the run is in a final state, or when `signal` aborts, with the run as it then is. */
  wait(runId: string, signal: AbortSignal): Promise<RunDetails>;
  runs(id: string, query: RunQuery): Promise<readonly Run[]>;
  run(runId: string): Promise<RunDetails>;
  cancel(runId: string): Promise<Run>;
  /**
   * Takes up again what ended in the dead letters, once its cause is mended. Repeating it starts no second run. Letters
   * that something else is looking at are hidden for up to half a minute and may be left out.
   */
  redrive(query: RedriveQuery): Promise<readonly Redriven[]>;
  status(id: string): Promise<IntegrationStatus>;
  /**
   * Accepts the shapes that streams have now (all of them without names): the next sync goes on with them. Gives the
   * streams that had an accepted shape before. An unknown stream is `config`/`not_found`.
   */
  acceptSchema(id: string, streams: readonly string[] | undefined): Promise<readonly string[]>;
  /** The alerts of one integration, or of all. Where something else rings them, this and what follows is `config`/`alerts_elsewhere`. */
  alerts(id?: string): Promise<readonly Alert[]>;
  /** What happened to the alerts of an integration, newest first. */
  alertHistory(id: string, limit: number): Promise<readonly AlertChange[]>;
  /** Says that somebody looks after an alert that rings: nobody is reminded of it. `alert`: its slug or name. */
  acknowledgeAlert(
    id: string,
    alert: string,
    by: { readonly by?: string | undefined; readonly comment?: string | undefined },
  ): Promise<Alert>;
  alertMutes(): Promise<readonly AlertMute[]>;
  /** Nobody is told of these alerts for some time; what still rings afterwards is told then. */
  muteAlerts(request: MuteRequest): Promise<AlertMute>;
  unmuteAlerts(id: string): Promise<void>;
  /** How the channels stand on which people are told. */
  notificationChannels(): Promise<readonly ChannelStatus[]>;
  /** Sends a test message at once, on one channel or on all that are configured. An unknown one is `config`/`not_found`. */
  testNotification(channel: string | undefined): Promise<readonly TestOutcome[]>;
  health(): Promise<readonly IntegrationHealth[]>;
  /** Every credential that a document refers to, in the order of names. */
  credentials(): Promise<readonly Credential[]>;
  stats(): Promise<readonly IntegrationStats[]>;
  /** Health and statistics of all integrations, read at once. */
  figures(): Promise<readonly IntegrationFigures[]>;
  quarantined(id: string, query: QuarantineQuery): Promise<readonly QuarantinedRecord[]>;
  /** One quarantined record. An unknown one is `config`/`not_found`. */
  quarantinedRecord(id: string, record: string): Promise<QuarantinedRecord>;
  /** Corrects fields of a quarantined record, which stays there. A wrong value is `config`/`invalid_record`. */
  editQuarantined(id: string, record: string, fields: FieldValues): Promise<QuarantinedRecord>;
  /** Sends quarantined records through the pipeline of the stored document again, oldest first. Never loads one twice. */
  replayQuarantined(id: string, order: ReplayOrder, signal: AbortSignal): Promise<ReplayResult>;
  /** Drops quarantined records; gives how many. */
  dropQuarantined(id: string, filter: QuarantineFilter): Promise<number>;
  /**
   * Finds records in the fields that streams name for it. An unknown integration is `config`/`not_found`; what cannot be
   * searched for is `config`/`invalid_search`.
   */
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchResult>;
}
