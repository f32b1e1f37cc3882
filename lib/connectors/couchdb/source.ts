import type { Batch } from '../../core/batch';
import type { PartitionRequest, Partitions, ScanRequest, Source, StreamInfo } from '../../core/connector';
import { aborted, stoppable } from '../shared/aborted';
import { check } from './check';
import { CouchdbClient } from './client';
import type { CouchdbConfig } from './config';
import { readDatabase } from './databases';
import { discover } from './discover';
import type { Endpoint } from './endpoint';
import { scanFull } from './full-scan';
import { scanIncrement } from './increment';
import { checkInstance, sincePosition } from './position';

/** The databases of a server as a source. It connects when it is first asked for something. */
export class CouchdbSource implements Source {
  readonly #config: CouchdbConfig;
  readonly #endpoint: Endpoint;
  readonly #client: CouchdbClient;

  constructor(config: CouchdbConfig, endpoint: Endpoint) {
    this.#config = config;
    this.#endpoint = endpoint;
    this.#client = new CouchdbClient(endpoint);
  }

  check(signal: AbortSignal) {
    return check({ endpoint: this.#endpoint, config: this.#config, client: this.#client, signal });
  }

  discover(signal: AbortSignal): Promise<readonly StreamInfo[]> {
    return stoppable(signal, () => discover({ client: this.#client, config: this.#config, signal }));
  }

  async partitions({ stream, cursor, signal }: PartitionRequest): Promise<Partitions> {
    const database = await stoppable(signal, () => readDatabase(this.#client, stream.stream, signal));
    const { instance, sequence } = database;
    return {
      parts: [{ instance }],
      ...(cursor && { after: sincePosition(sequence, instance) }),
      resumable: true,
    };
  }

  async *scan(request: ScanRequest): AsyncGenerator<Batch> {
    const { stream, cursor, partition, signal } = request;
    const scan = { client: this.#client, designs: this.#config.design_documents === true, request };
    try {
      if (cursor !== undefined && partition === undefined) {
        yield* scanIncrement(scan);
        return;
      }
      const planned = (partition ?? {}) as { readonly instance?: string };
      checkInstance(planned.instance ?? '', await readDatabase(this.#client, stream.stream, signal));
      yield* scanFull(scan);
    } catch (error) {
      throw signal.aborted ? aborted() : error;
    }
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}
