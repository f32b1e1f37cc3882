import type { FaultRecord } from './fault';

/** How a run or stream stands. `partial`: some streams were loaded and some failed. */
export type RunState = 'queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled';

/** States in which nothing more happens to a run. */
export const FINAL_STATES: readonly RunState[] = ['succeeded', 'partial', 'failed', 'cancelled'];

/** What asked for a run. */
export type RunTrigger = 'manual' | 'schedule' | 'start' | 'webhook';

/** What was moved and what it took. */
export interface RunCounts {
  readonly rows: number;
  readonly bytes: number;
  readonly slices: number;
  readonly retries: number;
  readonly quarantined: number;
  /** Records that failed and were left out, as the document says. */
  readonly skipped: number;
}

/** One stream within a run. Times are ISO 8601 in UTC. */
export interface StreamRun extends RunCounts {
  readonly stream: string;
  readonly state: RunState;
  readonly mode: 'full' | 'incremental' | 'changes';
  /** Why this mode: the cursor that was chosen, or why there is none. */
  readonly reason: string;
  readonly slicesDone: number;
  /** The source's estimate of the rows to read, where it has one. */
  readonly estimatedRows?: number;
  /** Changes of the stored schema, in words. */
  readonly changes: readonly string[];
  readonly notes: readonly string[];
  readonly fault?: FaultRecord;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

/** What a run would cost as serverless functions. */
export interface RunCost {
  readonly usd: number;
  /** How the figure was made, in words with the date of the prices. */
  readonly basis: string;
}

/** One sync of one integration. Times are ISO 8601 in UTC. */
export interface Run extends RunCounts {
  readonly id: string;
  readonly integration: string;
  /** What was asked for; absent: what the document says. */
  readonly requested?: 'full' | 'incremental';
  readonly trigger: RunTrigger;
  readonly state: RunState;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** Seconds from start to end, or until now. */
  readonly seconds: number;
  readonly fault?: FaultRecord;
  readonly cost: RunCost;
  readonly cancelRequested: boolean;
}

/** A run with its streams. */
export interface RunDetails extends Run {
  readonly streams: readonly StreamRun[];
}
