import type { Db } from 'mongodb';
import type { Batch } from '../../core/batch';
import type { PartitionRequest, Partitions, ScanRequest, Source, StreamInfo } from '../../core/connector';
import type { Json } from '../../core/json';
import type { StreamSchema } from '../../core/schema';
import { check } from './check';
import { aborted, Client } from './client';
import { findCollection } from './collections';
import type { MongodbConfig } from './config';
import { discover } from './discover';
import type { Endpoint } from './endpoint';
import { type Scan, scanPart } from './full-scan';
import { scanIncrement, startPosition } from './increment';
import { parsePart, planParts } from './parts';

/** A MongoDB database as a source. It connects when it is first asked for something. */
export class MongodbSource implements Source {
  readonly #config: MongodbConfig;
  readonly #endpoint: Endpoint;
  readonly #client: Client;
  readonly #schemas = new Map<string, StreamSchema>();

  constructor(config: MongodbConfig, endpoint: Endpoint) {
    this.#config = config;
    this.#endpoint = endpoint;
    this.#client = new Client(endpoint);
  }

  check(signal: AbortSignal) {
    return check(this.#endpoint, this.#config, signal);
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

  async *scan(request: ScanRequest): AsyncGenerator<Batch> {
    const { db, explain } = await this.#client.open(request.signal);
    try {
      yield* this.#batches(this.#scan(request, db));
    } catch (error) {
      throw request.signal.aborted ? aborted() : explain(error);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
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
