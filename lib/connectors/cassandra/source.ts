import type { Batch } from '../../core/batch';
import type { CheckReport } from '../../core/check';
import type { PartitionRequest, Partitions, ScanRequest, Source, StreamInfo } from '../../core/connector';
import { durationMs } from '../../core/duration';
import { aborted, stoppable } from '../shared/aborted';
import { check } from './check';
import { classify } from './classify';
import { Cluster } from './client';
import type { CassandraConfig } from './config';
import { discover } from './discover';
import type { Endpoint } from './endpoint';
import { estimates } from './estimates';
import { planIncrement, serverTime } from './increment';
import { betweenPosition, cutRing, DONE, parsePart, parsePosition } from './parts';
import { scanTable } from './scan';
import { Selection } from './selection';
import { Tables } from './tables';

const DEFAULT_SETTLE_TIME = '2s';

/** A keyspace of a cluster as a source. It connects when it is first asked for something. */
export class CassandraSource implements Source {
  readonly #config: CassandraConfig;
  readonly #endpoint: Endpoint;
  readonly #cluster: Cluster;
  readonly #tables: Tables;

  constructor(config: CassandraConfig, endpoint: Endpoint) {
    this.#config = config;
    this.#endpoint = endpoint;
    this.#cluster = new Cluster(endpoint);
    this.#tables = new Tables(this.#cluster, endpoint.keyspace);
  }

  check(signal: AbortSignal): Promise<CheckReport> {
    return check(this.#endpoint, this.#config, signal);
  }

  discover(signal: AbortSignal): Promise<readonly StreamInfo[]> {
    return stoppable(signal, () => discover(signal, this.#cluster, this.#tables, this.#config));
  }

  partitions({ stream, want, cursor, signal }: PartitionRequest): Promise<Partitions> {
    return stoppable(signal, async () => {
      const after = cursor && betweenPosition((await serverTime(this.#cluster, signal)) - this.#settle());
      const table = await this.#tables.describe(signal, stream.stream);
      const sizes = await estimates(signal, this.#cluster, table.keyspace);
      const parts = cutRing(want, sizes.get(table.name)?.bytes);
      return { parts, resumable: true, ...(after && { after }) };
    });
  }

  async *scan(request: ScanRequest): AsyncGenerator<Batch> {
    const { signal } = request;
    try {
      const increment = request.cursor !== undefined && request.partition === undefined;
      yield* this.#cluster.reading(signal, () => (increment ? this.#increment(request) : this.#part(request)));
    } catch (error) {
      if (signal.aborted) throw aborted();
      // Tells a table that was dropped from one that was changed.
      if (isRefusal(error)) await this.#tables.describe(signal, request.stream.stream);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  async *#part(request: ScanRequest): AsyncGenerator<Batch> {
    const stop = request.from && parsePosition(request.from);
    if (stop?.kind === 'done') return;
    const scan = await this.#scan(request, false);
    const reached = stop?.kind === 'reached' ? stop.reached : undefined;
    yield* scanTable({ ...scan, range: parsePart(request.partition), end: DONE, ...(reached && { reached }) });
  }

  async *#increment(request: ScanRequest): AsyncGenerator<Batch> {
    const plan = await planIncrement(this.#cluster, request, Number(this.#settle() / 1000n));
    const scan = await this.#scan(request, true);
    yield* scanTable({ ...scan, ...plan, range: parsePart(null), end: betweenPosition(plan.window.until) });
  }

  async #scan(request: ScanRequest, withTimes: boolean) {
    const { functions } = await this.#cluster.facts(request.signal);
    const table = await this.#tables.describe(request.signal, request.stream.stream);
    return { cluster: this.#cluster, request, table, selection: new Selection(table, functions, withTimes) };
  }

  /** In microseconds. */
  #settle(): bigint {
    return BigInt(durationMs(this.#config.settle_time ?? DEFAULT_SETTLE_TIME)) * 1000n;
  }
}

// The server refuses, or has forgotten, a statement about something that is not there any more.
const REFUSALS: readonly unknown[] = ['table_changed', 'statement_forgotten'];

function isRefusal(error: unknown): boolean {
  return REFUSALS.includes(classify(error)?.code);
}
