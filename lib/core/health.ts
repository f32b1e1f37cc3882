import type { FaultRecord } from './fault';

/** One test of a connection that was made by itself. */
export interface HealthCheckResult {
  /** When it began: ISO 8601 in UTC. */
  readonly at: string;
  readonly passed: boolean;
  /** Of its last attempt. */
  readonly milliseconds: number;
  readonly attempts: number;
  /** The step that failed. */
  readonly step?: string;
}

/** How the regular tests of an integration's connection stand, where its document asks for them. Times are ISO 8601 in UTC. */
export interface HealthCheck {
  /** The outcome of the last one. `waiting`: none was made yet. `not_probed`: none is made now, `reason` says why. */
  readonly state: 'passed' | 'failed' | 'waiting' | 'not_probed';
  readonly reason?: string;
  readonly at?: string;
  /** Since when the outcome is what it is. */
  readonly since?: string;
  readonly lastSuccess?: string;
  readonly consecutiveFailures: number;
  /** How long the last attempt took. */
  readonly milliseconds?: number;
  /** The step that failed, such as `connect`; `open` where the test could not begin, `timeout` where it took too long. */
  readonly step?: string;
  readonly fault?: FaultRecord;
  /** When the next one is due. */
  readonly nextAt?: string;
  /** The last ones, newest first; at most 20. */
  readonly recent: readonly HealthCheckResult[];
}

/** Times that runs took, in seconds. */
export interface Durations {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** The figures that the section `metrics` of a document keeps; one that is switched off there is absent. */
export interface IntegrationMetrics {
  readonly connectionStatus?: 'connected' | 'failed' | 'unknown';
  readonly syncPerformance?: {
    readonly seconds: Durations;
    readonly rowsPerSecond: number;
    readonly bytesPerSecond: number;
  };
  readonly errorRates?: {
    /** Failed runs, among those that ended. */
    readonly runs: number;
    /** Records that were quarantined or skipped, among all. */
    readonly records: number;
  };
  readonly dataFreshness?: {
    /** Absent where no sync has brought everything yet. */
    readonly lastSyncAgeSeconds?: number;
  };
}

/** What the runs that ended on one day did. */
export interface DayOfRuns {
  /** `2026-01-31`, in UTC. */
  readonly day: string;
  readonly runs: number;
  readonly failed: number;
  readonly rows: number;
  readonly bytes: number;
  readonly quarantined: number;
}
