import type { Batch } from '../../core/batch';
import type { PartitionRequest, Partitions, ScanRequest, Source, StreamInfo } from '../../core/connector';
import { durationMs } from '../../core/duration';
import type { Json } from '../../core/json';
import { stoppable } from '../shared/aborted';
import { check } from './check';
import { DynamodbClient } from './client';
import type { DynamodbConfig } from './config';
import { discover } from './discover';
import type { Endpoint } from './endpoint';
import { scanIncrement, sinceNow } from './increment';
import { type Part, partOf, replaced, scanPart } from './scan';
import { selectedTables } from './tables';

const DEFAULT_SETTLE_TIME = '2s';

/** The tables of one region and account as a source. It connects when it is first asked for something. */
export class DynamodbSource implements Source {
  readonly #config: DynamodbConfig;
  readonly #endpoint: Endpoint;
  readonly #client: DynamodbClient;

  constructor(config: DynamodbConfig, endpoint: Endpoint) {
    this.#config = config;
    this.#endpoint = endpoint;
    this.#client = new DynamodbClient(endpoint, config.read_capacity_per_second);
  }

  check(signal: AbortSignal) {
    return check({ endpoint: this.#endpoint, config: this.#config, client: this.#client, signal });
  }

  discover(signal: AbortSignal): Promise<readonly StreamInfo[]> {
    return discover({ client: this.#client, config: this.#config, signal });
  }

  async partitions({ stream, want, cursor, signal }: PartitionRequest): Promise<Partitions> {
    const table = await this.#tableId(stream.stream, signal);
    const parts = Array.from({ length: want }, (_, segment): Part => ({ segment, of: want, table }));
    const after = cursor && sinceNow(this.#client, table, this.#settleMs());
    return { parts: parts as unknown as readonly Json[], resumable: true, ...(after && { after }) };
  }

  async *scan(request: ScanRequest): AsyncGenerator<Batch> {
    const { stream, signal, partition } = request;
    const table = await this.#tableId(stream.stream, signal);
    const scan = { client: this.#client, consistent: this.#config.consistent_read === true, request };
    if (request.cursor !== undefined && partition === undefined) {
      yield* scanIncrement(scan, table, this.#settleMs());
      return;
    }
    const part = partOf(partition) ?? { segment: 0, of: 1, table };
    if (part.table !== table) throw replaced(stream.stream);
    yield* scanPart(scan, part);
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #settleMs(): number {
    return durationMs(this.#config.settle_time ?? DEFAULT_SETTLE_TIME);
  }

  async #tableId(name: string, signal: AbortSignal): Promise<string> {
    const [table] = await stoppable(signal, () => selectedTables(this.#client, [name], signal));
    if (table?.unreadable) throw table.unreadable;
    return table?.id ?? '';
  }
}
