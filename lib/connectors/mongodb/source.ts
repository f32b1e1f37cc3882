import type { Db } from 'mongodb';
import type { Batch } from '../../core/batch';
import type {
  Feed,
  FeedRequest,
  PartitionRequest,
  Partitions,
  ScanRequest,
  Source,
  StreamInfo,
} from '../../core/connector';
import type { Json } from '../../core/json';
import type { StreamSchema } from '../../core/schema';
import { check } from './check';
import { aborted, Client } from './client';
import { findCollection } from './collections';
import type { MongodbConfig } from './config';
import { discover } from './discover';
import type { Endpoint } from './endpoint';
import { readChanges } from './feed';
import { headOf } from './feed-head';
import { type Scan, scanPart } from './full-scan';
import { scanIncrement, startPosition } from './increment';
import { parsePart, planParts } from './parts';

/** A MongoDB database as a source. It connects when it is first asked for something. */
export class MongodbSource implements Source {
  readonly #config: MongodbConfig;
  readonly #endpoint: Endpoint;
  readonly #client: Client;
  readonly #isFollowed: boolean;
  readonly #schemas = new Map<string, StreamSchema>();
  readonly feed: Feed = {
    resume: 'position',
    head: (request) => this.#client.use(request.signal, (db) => headOf(db, request)),
    read: (request) => this.#read(request.signal, (db) => readChanges(db, this.#withKnown(request))),
    // The server keeps its log for nobody in particular.
    acknowledge: async () => undefined,
  };

  constructor(config: MongodbConfig, endpoint: Endpoint, isFollowed: boolean) {
    this.#config = config;
    this.#endpoint = endpoint;
    this.#client = new Client(endpoint);
    this.#isFollowed = isFollowed;
  }

  check(signal: AbortSignal) {
    return check(this.#endpoint, this.#config, this.#isFollowed, signal);
  }

  discover(signal: AbortSignal): Promise<readonly StreamInfo[]> {
    return this.#client.use(signal, (db) => discover(db, this.#config, signal));
  }

  partitions({ stream, want, cursor, signal }: PartitionRequest): Promise<Partitions> {
    return this.#client.use(signal, async (db) => {
      const collection = await findCollection(db, stream.stream, signal);
      // Before the parts are read: what is written from then on is of the first increment.
      const after = cursor && (await startPosition(db, stream, cursor));
      const parts = await planParts(db, collection, want, signal);
      return { parts: parts as unknown as readonly Json[], resumable: true, ...(after && { after }) };
    });
  }

  scan(request: ScanRequest): AsyncGenerator<Batch> {
    return this.#read(request.signal, (db) => this.#batches(this.#scan(request, db)));
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async *#read(signal: AbortSignal, batches: (db: Db) => AsyncGenerator<Batch>): AsyncGenerator<Batch> {
    const { db, explain } = await this.#client.open(signal);
    try {
      yield* batches(db);
    } catch (error) {
      throw signal.aborted ? aborted() : explain(error);
    }
  }

  #withKnown(request: FeedRequest): FeedRequest {
    return { ...request, streams: request.streams.map((schema) => this.#sameUntilChanged(schema)) };
  }

  #batches(scan: Scan): AsyncGenerator<Batch> {
    const { cursor, partition } = scan.request;
    return cursor !== undefined && partition === undefined
      ? scanIncrement(scan)
      : scanPart(scan, parsePart(partition ?? {}));
  }

  #scan(request: ScanRequest, db: Db): Scan {
    const { statementTimeoutMs } = this.#endpoint;
    return {
      db,
      request,
      schema: this.#sameUntilChanged(request.stream),
      ...(statementTimeoutMs !== undefined && { timeLimitMs: statementTimeoutMs }),
    };
  }

  #sameUntilChanged(schema: StreamSchema): StreamSchema {
    const former = this.#schemas.get(schema.stream);
    if (former && JSON.stringify(former) === JSON.stringify(schema)) return former;
    this.#schemas.set(schema.stream, schema);
    return schema;
  }
}
