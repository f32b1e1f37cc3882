import type { Row } from './batch';
import type { QuarantinedRecord, Reason } from './destination';
import type { Json } from './json';
import type { StreamSchema } from './schema';

/** Which quarantined records are meant; all conditions must hold. */
export interface QuarantineFilter {
  readonly stream?: string;
  /** A field, and a rule or step, that one of the reasons names. */
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

/** One state of an entry. Whoever acts on what it read names the revision, so that an edit in between is noticed. */
export interface EntryState {
  readonly id: string;
  /** Grows with each edit. */
  readonly revision: number;
}

/** A record in quarantine as it came, or as it was edited, ready to go through the pipeline again. */
export interface QuarantineEntry extends EntryState {
  readonly stream: string;
  /** Absent where the record cannot be brought back; `problem` says why. */
  readonly record?: EntryRecord;
  readonly problem?: string;
}

/** The record of an entry. */
export interface EntryRecord {
  readonly row: Row;
  readonly schema: StreamSchema;
  readonly op: number;
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
export interface ReplayItem extends EntryState {
  readonly row: Row;
  readonly op: number;
}

/** A record that failed again. */
export interface FailedItem extends EntryState {
  readonly reasons: readonly Reason[];
}

/** Records of one stream and one shape that passed the pipeline, and those that did not. */
export interface ReplayRequest {
  /** The shape of `row`. */
  readonly schema: StreamSchema;
  readonly items: readonly ReplayItem[];
  /** They stay, with these reasons. */
  readonly failed: readonly FailedItem[];
  /** A filter left them out. */
  readonly leftOut: readonly EntryState[];
  /** Digest of the configuration that has judged them now. */
  readonly configuration?: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** Values by column, in the form in which {@link QuarantinedRecord} shows them, or as text. */
export type FieldValues = { readonly [column: string]: Json };

/** How much is kept of each stream. */
export interface QuarantineBounds {
  readonly maxRecords: number;
  readonly maxAgeMs: number;
}

/** Records of one stream that are no longer kept. */
export interface PrunedRecords {
  readonly stream: string;
  /** `superseded`: a full load that came later has read the stream anew. */
  readonly cause: 'superseded' | 'too_old' | 'too_many';
  readonly records: number;
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
   * Corrects fields of a record, which stays where it is, and as old as it is: what is newer still wins.
   * @throws Fault `config`/`not_found`; `config`/`not_editable`; `config`/`invalid_record` naming each wrong field
   */
  edit(id: string, fields: FieldValues): Promise<QuarantinedRecord>;
  /** Removes what is beyond the bounds, the oldest first, and what was superseded; tells what. In small statements. */
  prune(bounds: QuarantineBounds, signal: AbortSignal): Promise<readonly PrunedRecords[]>;
  /**
   * In one transaction: locks the entries, loads those that nothing newer has superseded, and removes what was loaded,
   * left out or superseded. Doing it twice, also at once, does no more than doing it once. Postponed are entries of a load
   * that is not published yet, as its publication would take away what was loaded, and those that were edited after they
   * were read. `prepare` was called for the shape.
   */
  replay(request: ReplayRequest): Promise<readonly ReplayOutcome[]>;
}
