import type { Row } from './batch';
import type { Reason } from './destination';
import type { StreamSchema } from './schema';

/** Which quarantined records are meant; all conditions must hold. */
export interface QuarantineFilter {
  readonly stream?: string;
  readonly field?: string;
  readonly rule?: string;
  /** A part of the reason's text, whatever its case. */
  readonly reason?: string;
  readonly run?: string;
  /** ISO 8601 times of entry: from, and before. */
  readonly since?: string;
  readonly until?: string;
  readonly ids?: readonly string[];
}

/** A record in quarantine as it came, ready to go through the pipeline again. */
export interface QuarantineEntry {
  readonly id: string;
  readonly stream: string;
  /** Absent where the record cannot be brought back; `problem` says why. */
  readonly record?: { readonly row: Row; readonly schema: StreamSchema; readonly op: number };
  readonly problem?: string;
}

/** What became of a record that was replayed, or would become. */
export type ReplayState = 'loaded' | 'failed' | 'superseded' | 'postponed' | 'left_out';

/** The outcome of one record. */
export interface ReplayOutcome {
  readonly id: string;
  readonly stream: string;
  readonly state: ReplayState;
  /** Why it failed again, or was not loaded. */
  readonly reasons: readonly Reason[];
}

/** One record on its way back: `row` as the pipeline has left it. */
export interface ReplayItem {
  readonly id: string;
  readonly row: Row;
  readonly op: number;
}

/** Records of one stream and one shape that passed the pipeline, and those that did not. */
export interface ReplayRequest {
  /** The shape of `row`. */
  readonly schema: StreamSchema;
  readonly items: readonly ReplayItem[];
  /** They stay, with these reasons. */
  readonly failed: readonly { readonly id: string; readonly reasons: readonly Reason[] }[];
  /** A filter left them out. */
  readonly leftOut: readonly string[];
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** What can be done with quarantined records. */
export interface QuarantineStore {
  /** Oldest first, after the entry with id `after`. */
  entries(
    filter: QuarantineFilter,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<readonly QuarantineEntry[]>;
  /** Removes entries; gives how many. */
  remove(filter: QuarantineFilter): Promise<number>;
  /**
   * In one transaction: locks the entries, loads those that nothing newer has superseded, and removes what was loaded,
   * left out or superseded. Doing it twice, also at once, does no more than doing it once. Entries of a load that is not
   * published yet are postponed: its publication would take away what was loaded. `prepare` was called for the shape.
   */
  replay(request: ReplayRequest): Promise<readonly ReplayOutcome[]>;
}
