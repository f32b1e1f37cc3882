import { type ChangeStream, type Db, type Document, Timestamp } from 'mongodb';
import type { StreamSchema } from '../../core/schema';
import type { FeedStart, ResumeToken } from './feed-position';

/** A change as it is asked for. */
export interface ChangeEvent extends Document {
  readonly _id: ResumeToken;
  readonly operationType: string;
  /** Its time in the order of the cluster. */
  readonly clusterTime: Timestamp;
  /** The server's clock; absent before MongoDB 6.0. */
  readonly wallTime?: Date;
  readonly ns?: { readonly coll?: string };
  /** What a collection was renamed to. */
  readonly to?: { readonly coll: string };
  /** The whole document, undecoded, or null. */
  readonly document: readonly [Uint8Array | null];
  /** What identifies it, undecoded, or null. */
  readonly key: readonly [Uint8Array | null];
}

/** The driver's change stream, with events in our form. */
export type Changes = ChangeStream<Document, ChangeEvent>;

/** How long the server waits for a change, and how many it gives at once. */
export interface StreamOptions {
  readonly waitMs: number;
  readonly events: number;
}

const BASIC = { operationType: 1, clusterTime: 1, wallTime: 1, ns: 1, to: 1 };
/** After these nothing follows any more. */
export const ENDS: readonly string[] = ['dropDatabase', 'invalidate'];

/** Opens the change stream of a database, with the changes that concern some collections. Nothing is sent yet. */
export function watch(db: Db, streams: readonly StreamSchema[], start: FeedStart, options: StreamOptions): Changes {
  const followed = { $in: streams.map(({ stream }) => stream) };
  const concerned = [{ 'ns.coll': followed }, { 'to.coll': followed }, { operationType: { $in: ENDS } }];
  // Only of arrays does the driver leave the elements undecoded, and decoding loses what a scan would show.
  const raw = { document: [orNull('$fullDocument')], key: [orNull('$documentKey')] };
  return open(db, [{ $match: { $or: concerned } }, { $project: { ...BASIC, ...raw } }], start, options, {
    fullDocument: 'updateLookup',
    fieldsAsRaw: { document: true, key: true },
  });
}

/** Opens a change stream only to see whether it can be opened, and where it stands. */
export function watchAnything(db: Db, start: FeedStart | undefined): Changes {
  return open(db, [{ $project: { operationType: 1 } }], start, { waitMs: 1, events: 1 }, {});
}

function orNull(path: string): Document {
  return { $ifNull: [path, null] };
}

function open(
  db: Db,
  pipeline: Document[],
  start: FeedStart | undefined,
  { waitMs, events }: StreamOptions,
  more: { readonly fullDocument?: string; readonly fieldsAsRaw?: Document },
): Changes {
  return db.watch<Document, ChangeEvent>(pipeline, {
    maxAwaitTimeMS: waitMs,
    batchSize: events,
    ...(start && startOption(start)),
    ...more,
  });
}

function startOption(start: FeedStart) {
  return 'token' in start ? { resumeAfter: start.token } : { startAtOperationTime: new Timestamp(start.time) };
}
