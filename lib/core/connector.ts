import type { Batch, ByteFormat } from './batch';
import type { CheckReport } from './check';
import type { ConfigSpec, FieldDoc } from './config';
import { type Classify, type Fault, guarded, toFault } from './fault';
import type { Json } from './json';
import type { Logger } from './log';
import type { Network } from './network';
import type { Position } from './position';
import type { StreamSchema } from './schema';

/** Ways to read: everything each time; what is new by a cursor; every change from a log or topic. */
export type SyncMode = 'full' | 'incremental' | 'changes';

/** What the home gives to a connector or destination. */
export interface Host {
  readonly log: Logger;
  /** The rules for connections; absent: there are none. */
  readonly network?: Network;
  /** Names what is made in the source to follow its changes; absent: they are not followed. */
  readonly follower?: string;
}

/** A column by which a stream could be read incrementally, with the facts that the choice depends on. */
export interface CursorCandidate {
  readonly column: string;
  readonly nullable: boolean;
  /** An index leads with this column. */
  readonly indexed: boolean;
  /** Many rows share a value: a date, or a time without fractions. */
  readonly coarse: boolean;
  /** The source's own order of all changes, deletes included, rather than a column: chosen where no other is named. */
  readonly sequence?: true;
}

/** One stream that a source offers. */
export interface StreamInfo {
  readonly schema: StreamSchema;
  /** The modes this stream can be read in. */
  readonly modes: readonly SyncMode[];
  /** The source's own estimate; absent when it has none. */
  readonly estimate?: { readonly rows: number; readonly bytes: number };
  readonly cursors: readonly CursorCandidate[];
  /** What its owner should know: no key, not readable with these rights, ... */
  readonly notes: readonly string[];
  /** It is there but cannot be read; a run reports this and reads the other streams. */
  readonly unreadable?: Fault;
}

/** An open connection to one external system. Every method throws only {@link Fault}. */
export interface Source {
  /** Tests the connection step by step. Throws only when aborted. */
  check(signal: AbortSignal): Promise<CheckReport>;
  /** The streams that the configuration selects, sorted by name. */
  discover(signal: AbortSignal): Promise<readonly StreamInfo[]>;
  /**
   * Prepares a full read. Without it a full read is one slice with partition `null`. After a `lost` fault it is called
   * again, and gives parts that can be read now.
   */
  partitions?(request: PartitionRequest): Promise<Partitions>;
  /**
   * Reads a bounded range: a partition of a full read, or one increment. At least one batch is yielded whenever the
   * position moved. The generator's `finally` frees cursors and connections, so the reader may leave early.
   */
  scan?(request: ScanRequest): AsyncIterable<Batch>;
  /** Ordered changes: logs, change streams, topics, queues. */
  readonly feed?: Feed;
  close(): Promise<void>;
}

/** Asks for a full read of one stream. */
export interface PartitionRequest {
  readonly stream: StreamSchema;
  /** How many parts are worth having; fewer may be given. */
  readonly want: number;
  /** The cursor that later increments will use, if any: `Partitions.after` is then needed. */
  readonly cursor?: Cursor;
  /**
   * The read began anew already because its snapshot ended with a process, and will again: where the stream has a key,
   * give parts that any process can go on with, in the order of the key, at the price of one moment for all rows.
   */
  readonly resumable?: true;
  readonly signal: AbortSignal;
}

/** The parts of one full read. All are read under one snapshot while this source stays open. */
export interface Partitions {
  /** At most 16 KiB of JSON each; together they cover every row once. */
  readonly parts: readonly Json[];
  /** Where the first increment begins once all parts have been read; gap-free, overlap allowed. */
  readonly after?: Position;
  /** The parts stand on no snapshot, asked for or because the source has none: any process can read any of them. */
  readonly resumable?: true;
}

/** The column that orders increments. */
export interface Cursor {
  readonly column: string;
  /** Read again what is at most this much older than the last value, in milliseconds, for writers with wrong clocks. */
  readonly lookbackMs: number;
}

/** How a reader wants its batches. */
export interface ReadRequest {
  /** Targets for one batch, whichever is met first. */
  readonly size: { readonly rows: number; readonly bytes: number };
  /** Byte formats that the destination takes; empty means rows only. Ignoring it is always correct. */
  readonly accept: readonly ByteFormat[];
  /** Interrupts waits; a source ends within five seconds of it. */
  readonly signal: AbortSignal;
}

/** Asks for one part of a full read (`partition` given) or one increment (`cursor` given, `partition` absent). */
export interface ScanRequest extends ReadRequest {
  readonly stream: StreamSchema;
  readonly partition?: Json;
  readonly cursor?: Cursor;
  /** Where an earlier reader of the same part, or the last increment, stopped. */
  readonly from?: Position;
  /**
   * A later increment will read whatever changes during this scan, so a snapshot that was lost with its process may be
   * replaced by a newer one. When false, a lost snapshot is a `lost` fault and the full read begins anew.
   */
  readonly repairable: boolean;
}

/** Asks for the changes of some streams after a position. */
export interface FeedRequest extends ReadRequest {
  readonly streams: readonly StreamSchema[];
  readonly from: Position;
  /** False: end at the head seen when the read began. */
  readonly follow: boolean;
}

/** Asks that the changes of these streams be recorded. */
export interface HeadRequest {
  readonly streams: readonly StreamSchema[];
  /** Where reading will go on; absent: nothing was read yet. */
  readonly from?: Position;
  readonly signal: AbortSignal;
}

/** From where changes can be read. */
export interface FeedHead {
  /** The newest position. */
  readonly position: Position;
  /** Streams whose changes are recorded only from now on, although `from` is older. */
  readonly begun?: readonly string[];
}

/** An ordered record of changes. */
export interface Feed {
  /** `broker`: the broker redelivers what was not acknowledged; positions are only informative. */
  readonly resume: 'position' | 'broker';
  /**
   * From when this resolves on, every change of the streams is recorded; called at the start of each run, before any of them
   * is read. @throws Fault `lost` when not all that follows `from` is there any more
   */
  head(request: HeadRequest): Promise<FeedHead>;
  read(request: FeedRequest): AsyncIterable<Batch>;
  /** Lets the source forget what is before `position`. Called only after it was saved. */
  acknowledge(position: Position): Promise<void>;
  /** Removes what the source keeps for this reader alone; nobody will read on. Left out where it keeps nothing. */
  forget?(signal: AbortSignal): Promise<void>;
}

/** What a connector folder declares; wrap it with {@link connector}. */
export interface Definition<C> {
  readonly type: string;
  readonly title: string;
  readonly modes: readonly SyncMode[];
  readonly config: ConfigSpec<C>;
  open(config: C, host: Host): Promise<Source>;
  /** A driver's error as a fault, by code or class; `undefined` when it is not one of the driver's. */
  classify(error: unknown): Fault | undefined;
}

/** What everybody else sees of a connector: configuration is parsed, errors are faults. */
export interface Connector {
  readonly type: string;
  readonly title: string;
  readonly modes: readonly SyncMode[];
  readonly keys: readonly string[];
  readonly fields: readonly FieldDoc[];
  jsonSchema(): { readonly [key: string]: Json };
  /** Validates without opening. @throws Fault `config`/`invalid_config` */
  validate(config: unknown): void;
  /** @throws Fault */
  open(config: unknown, host: Host): Promise<Source>;
}

/** Makes a {@link Connector} of a definition: parses the configuration and classifies every error that leaves it. */
export function connector<C>(definition: Definition<C>): Connector {
  const { type, title, modes, config } = definition;
  return {
    type,
    title,
    modes,
    keys: config.keys,
    get fields() {
      return config.fields;
    },
    jsonSchema: () => config.jsonSchema(),
    validate: (input) => void config.parse(input),
    async open(input, host) {
      const parsed = config.parse(input);
      const source = await guarded(`opening ${type}`, definition.classify, () => definition.open(parsed, host));
      return guardSource(source, definition.classify);
    },
  };
}

async function* guardedBatches(
  doing: string,
  classify: Classify,
  read: () => AsyncIterable<Batch>,
): AsyncGenerator<Batch> {
  try {
    for await (const batch of read()) {
      yield batch.kind === 'bytes' ? { ...batch, body: guardedBody(doing, classify, batch.body) } : batch;
    }
  } catch (error) {
    throw toFault(error, doing, classify);
  }
}

async function* guardedBody(doing: string, classify: Classify, body: AsyncIterable<Uint8Array>) {
  try {
    yield* body;
  } catch (error) {
    throw toFault(error, doing, classify);
  }
}

function guardSource(source: Source, classify: Classify): Source {
  const { partitions, scan, feed } = source;
  return {
    check: (signal) => guarded('checking the connection', classify, () => source.check(signal)),
    discover: (signal) => guarded('discovering streams', classify, () => source.discover(signal)),
    ...(partitions && {
      partitions: (request) =>
        guarded(`planning the read of ${request.stream.stream}`, classify, () => partitions.call(source, request)),
    }),
    ...(scan && {
      scan: (request) => guardedBatches(`reading ${request.stream.stream}`, classify, () => scan.call(source, request)),
    }),
    ...(feed && { feed: guardFeed(feed, classify) }),
    close: () => guarded('closing the source', classify, () => source.close()),
  };
}

function guardFeed(feed: Feed, classify: Classify): Feed {
  const { forget } = feed;
  return {
    resume: feed.resume,
    head: (request) => guarded('asking for the newest position', classify, () => feed.head(request)),
    read: (request) => guardedBatches('reading changes', classify, () => feed.read(request)),
    acknowledge: (position) => guarded('acknowledging changes', classify, () => feed.acknowledge(position)),
    ...(forget && {
      forget: (signal) => guarded('ending the record of changes', classify, () => forget.call(feed, signal)),
    }),
  };
}
