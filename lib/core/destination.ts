import type { Batch, ByteFormat, Row, RowBatch, Value } from './batch';
import type { CheckReport } from './check';
import type { ConfigSpec } from './config';
import type { Host } from './connector';
import type { Fault } from './fault';
import type { Json } from './json';
import type { LookupRequest } from './pipeline';
import type { Position, SliceKey } from './position';
import type { QuarantineFilter, QuarantineStore } from './quarantine';
import type { StreamSchema } from './schema';
import type { SearchableStreams, SearchReader } from './search';
import type { Secret } from './secret';

/** What a destination is opened for: one integration's place in it. */
export interface DestinationContext {
  readonly integration: string;
  /** Name of the integration's own schema (namespace) in the destination. */
  readonly namespace: string;
  /** `hard` removes a deleted row, `soft` keeps it and marks when it went. */
  readonly deletes: 'hard' | 'soft';
  /** What is indexed for the search; absent: nothing. */
  readonly search?: SearchableStreams;
  /** Records in quarantine are encrypted under it; without it they are stored as they are. */
  readonly quarantineKey?: Secret;
}

/** Why a record cannot be loaded. Never holds a value of the record. */
export interface Reason {
  readonly message: string;
  readonly field?: string;
  /** The rule or step that it did not pass, such as `range` or `data_type_conversion`. */
  readonly rule?: string;
}

/** A record that cannot be loaded; it goes to quarantine in the same transaction as its batch. */
export interface Rejection {
  /** The record before the pipeline touched it, in the order of `schema.columns`. */
  readonly row: Row;
  readonly schema: StreamSchema;
  /** At least one. */
  readonly reasons: readonly Reason[];
  /** What the record was to do; an insert by default. */
  readonly op?: number;
}

/** The records that the rows of a batch were made of by the pipeline, one for each row, in the shape of the source. */
export interface Sources {
  readonly schema: StreamSchema;
  readonly rows: readonly Row[];
}

/** What one write did. */
export interface WriteResult {
  readonly rows: number;
  readonly bytes: number;
  /** Records that the destination itself could not hold and put in quarantine. */
  readonly quarantined: number;
}

/** How a batch is to be written. */
export interface WriteOptions {
  /** The fence from the writer's lease; a slice that was claimed with a higher one refuses this write. */
  readonly fence: number;
  readonly run: string;
  /** Digest of the configuration that judges the records; it is kept with those that fail. */
  readonly configuration?: string;
  /** Records of this batch that the pipeline rejected. */
  readonly rejected?: readonly Rejection[];
  /** A record that the destination refuses is kept as it was before the pipeline; by default that is how it is written. */
  readonly sources?: Sources;
  readonly signal: AbortSignal;
}

/** A batch of whole records that a load adds, and those of its records that the pipeline rejected. */
export interface Addition {
  /** Has no `ops`. */
  readonly batch: RowBatch;
  readonly rejected: readonly Rejection[];
  /** As in {@link WriteOptions}. */
  readonly sources?: Sources;
}

/** What `prepare` did to the stored table, in words for the run record ("added column email (text)"). */
export interface PrepareResult {
  readonly changes: readonly string[];
}

/** How a load is to be published. */
export interface PublishOptions {
  /** Where increments begin after this load. */
  readonly next?: Position;
  readonly signal: AbortSignal;
}

/** What `publish` did. */
export interface PublishResult {
  readonly rows: number;
  /** What the owner should know: dependent objects that made the swap slower, columns that went away, ... */
  readonly notes: readonly string[];
}

/** One quarantined record. */
export interface QuarantinedRecord {
  readonly id: string;
  readonly stream: string;
  readonly run: string;
  /** All reasons in one text. */
  readonly reason: string;
  /** Of the first reason. */
  readonly field?: string;
  readonly rule?: string;
  readonly reasons: readonly Reason[];
  /** What the record was to do. */
  readonly op: 'insert' | 'update' | 'delete';
  /** The part of the stream that it came from, and the full load, where it was one. */
  readonly partition: string;
  readonly load?: string;
  /** Digest of the configuration that has judged it last. */
  readonly configuration?: string;
  /** Column name to value; values without a JSON form (bigint, bytes) as text. */
  readonly record: { readonly [column: string]: Json };
  /** ISO 8601 time at which it was put there. */
  readonly at: string;
  /** Fields that were corrected by hand, and when last. */
  readonly edited?: { readonly at: string; readonly fields: readonly string[] };
  /** Why it cannot be brought back. */
  readonly problem?: string;
}

/** Which quarantined records to list: newest first, after the record with id `after`. */
export interface QuarantineQuery extends QuarantineFilter {
  readonly limit: number;
  readonly after?: string;
}

/** The writing side of one integration. Every method throws only {@link Fault}. */
export interface Destination {
  /** Byte formats that can be loaded without parsing, best first. */
  readonly accepts: readonly ByteFormat[];
  check(signal: AbortSignal): Promise<CheckReport>;
  /**
   * Makes the stored table able to hold `next`: creates it (or, for `load`, its empty shadow table), adds and widens
   * columns, never narrows one. Idempotent; called before the first write of a slice and at every change of schema.
   * `partition` of `slice` does not matter.
   */
  prepare(slice: SliceKey, next: StreamSchema): Promise<PrepareResult>;
  /**
   * Raises the slice's fence, so that every writer with a lower one is refused from here on, and gives the position
   * stored with the rows; `undefined` when nothing was written yet.
   * @throws Fault `lost`/`fenced` when the stored fence is already higher.
   */
  claim(slice: SliceKey, fence: number): Promise<Position | undefined>;
  /**
   * Writes rows, rejected records and the position `batch.after` in one transaction; resolves only when it is durable.
   * Keyed rows are upserted, the last change of a key wins. Rows of a load are added to its shadow table.
   * @throws Fault `lost`/`fenced` when another owner claimed the slice; `data`/`bytes_rejected` when a byte batch holds
   * something that cannot be loaded (nothing was written; read it as rows).
   */
  write(batch: Batch, slice: SliceKey, options: WriteOptions): Promise<WriteResult>;
  /**
   * Like {@link write}, for a group of row batches of one schema in one transaction of a load: all are written with the
   * position of the last, or none. `additions` are read as they come, to their end, and there is at least one. A
   * destination to which a transaction for each batch costs nothing leaves this out.
   * @throws Fault `lost`/`fenced`; `data`/`rows_rejected` when a record cannot be stored and it is not known which
   * (nothing was written; write the same records batch by batch).
   */
  append?(additions: AsyncIterable<Addition>, slice: SliceKey, options: WriteOptions): Promise<WriteResult>;
  /**
   * Makes the shadow table of a load the visible one, in one transaction that also forgets the load's positions and
   * sets the position of the stream's {@link INCREMENT} slice to `next` (removes it when there is none). Idempotent.
   */
  publish(stream: StreamSchema, load: string, options: PublishOptions): Promise<PublishResult>;
  /** Drops the shadow table and positions of a load that will not be finished. Idempotent. */
  discard(stream: string, load: string): Promise<void>;
  /** Sets the position of a slice without rows: unless one is stored already, or only in the place of `instead`. */
  seed(slice: SliceKey, position: Position, instead?: Position): Promise<void>;
  quarantined(query: QuarantineQuery): Promise<readonly QuarantinedRecord[]>;
  /** What else can be done with quarantined records; absent where nothing can. */
  readonly quarantine?: QuarantineStore;
  /** Looks values up in a table of the destination, for pipelines; absent where that cannot be. */
  lookup?(request: LookupRequest): Promise<ReadonlyMap<string, Value>>;
  /** Removes all that the integration stored: its tables, positions and quarantine. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

/** What a destination folder declares. */
export interface DestinationDefinition<C> {
  readonly type: string;
  readonly title: string;
  readonly config: ConfigSpec<C>;
  open(config: C, context: DestinationContext, host: Host): Promise<Destination>;
  /** Opens the search over all integrations; left out where records cannot be searched. */
  openSearch?(config: C, host: Host): Promise<SearchReader>;
  classify(error: unknown): Fault | undefined;
}
