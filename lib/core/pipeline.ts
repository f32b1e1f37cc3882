import type { RowBatch, Value } from './batch';
import type { Rejection, Sources } from './destination';
import type { StreamSchema } from './schema';

/** The steps and rules of one integration between reading and writing. */
export interface Pipeline {
  /** Digest of the steps, rules and strategy: equal pipelines treat a record the same way. */
  readonly fingerprint: string;
  /**
   * Binds the steps to one shape; called once per schema, not per batch.
   * @throws Fault `config`/`invalid_config` when the steps do not fit the stream
   */
  bind(stream: StreamSchema): BoundPipeline;
  /** Whether anything is done to records of the stream; otherwise they may pass undecoded. */
  concerns(stream: string): boolean;
  /** Whether the stream's records have to be seen by one reader in turn, as a rule compares them with each other. */
  isSerial(stream: string): boolean;
}

/** A pipeline for one shape. */
export interface BoundPipeline {
  readonly output: StreamSchema;
  /** What the owner should know about this stream: steps that do not concern it, ... */
  readonly notes: readonly string[];
  /**
   * Gives the batch as it is to be written; the rows of `batch` stay as they are. A promise only where a step has to
   * ask somebody else.
   * @throws Fault `data`/`record_refused` with the strategy `stop`
   */
  run(batch: RowBatch, purpose: PipePurpose): PipedBatch | Promise<PipedBatch>;
}

/** What the records are for. */
export interface PipePurpose {
  /**
   * A full load, which only gains records: those that a filter leaves out are just not there. Otherwise a record that
   * is left out is deleted, as an earlier version of it may have passed.
   */
  readonly load: boolean;
}

/** What a pipeline made of a batch. */
export interface PipedBatch {
  readonly batch: RowBatch;
  /** Records that go to quarantine. */
  readonly rejected: readonly Rejection[];
  /** What the rows of `batch` were made of. */
  readonly sources?: Sources;
  /** Records that failed and are left out and counted, with the strategy `skip`. */
  readonly skipped: number;
}

/** Asks for columns of a table of the destination. */
export interface LookupRequest {
  /** `schema.table`. */
  readonly table: string;
  readonly match: string;
  readonly value: string;
  /** Values of `match` as text; at most a few thousand. */
  readonly keys: readonly string[];
}

/** What is known of the place of an IP address. */
export type Place = { readonly [part: string]: string | number | undefined };

/** Knows the places of addresses in plain form. `parts`, where it is given: knows no other parts of a place. */
export interface Places {
  (address: string): Place | undefined;
  readonly parts?: readonly string[];
  /** The same of an IPv4 address as a number, where that is how it is looked up. */
  ofIpv4?(number: number): Place | undefined;
}

/** What a pipeline needs from its home. */
export interface PipelineServices {
  /** Gives the found values by key, as the destination's text. @throws Fault `config` when table or column is not there */
  lookup(request: LookupRequest): Promise<ReadonlyMap<string, Value>>;
  /**
   * Opens a database of places; `undefined`: the one of the home.
   * @throws Fault `config` when the file cannot be read or is none
   */
  places(database: string | undefined): Promise<Places>;
}
