import { loadConnector } from '../../lib/connectors';
import type { Batch, ByteFormat, Row } from '../../lib/core/batch';
import type { Connector, Cursor, PartitionRequest, ScanRequest, Source } from '../../lib/core/connector';
import type { Json } from '../../lib/core/json';
import type { Network } from '../../lib/core/network';
import type { Position } from '../../lib/core/position';
import type { StreamSchema } from '../../lib/core/schema';
import { recordingLogger } from './recording-logger';

interface ReadOptions {
  readonly accept?: readonly ByteFormat[];
  readonly size?: ScanRequest['size'];
  readonly want?: number;
  readonly cursor?: Cursor;
  readonly resumable?: true;
  readonly each?: (batch: Batch) => Promise<void>;
}

/** What one increment gave, and where the next begins. */
export interface Increment {
  readonly rows: readonly Row[];
  readonly batches: readonly Batch[];
  readonly after: Position | undefined;
}

/** A source with the few reads that tests of one connector repeat. */
export interface OpenSource extends AsyncDisposable {
  readonly source: Source;
  schema(stream: string): Promise<StreamSchema>;
  partitions(stream: StreamSchema, options?: ReadOptions): ReturnType<NonNullable<Source['partitions']>>;
  part(stream: StreamSchema, partition: Json, options?: Partial<ScanRequest>): AsyncIterable<Batch>;
  full(stream: StreamSchema, options?: ReadOptions): Promise<Batch[]>;
  increment(
    stream: StreamSchema,
    cursor: string,
    from: Position | undefined,
    options?: Partial<ScanRequest>,
  ): Promise<Increment>;
}

/** Opens a source of a registered type, or of a connector that comes from elsewhere. */
export async function openSource(of: string | Connector, config: unknown, network?: Network): Promise<OpenSource> {
  const connector = typeof of === 'string' ? await loadConnector(of) : of;
  const source = await connector.open(config, {
    log: recordingLogger().log,
    ...(network && { network }),
  });
  const signal = AbortSignal.timeout(25_000);
  const size = { rows: 10_000, bytes: 8 << 20 };
  const partitions = (stream: StreamSchema, { want = 1, cursor, resumable }: ReadOptions = {}) => {
    const request: PartitionRequest = {
      stream,
      want,
      signal,
      ...(cursor && { cursor }),
      ...(resumable && { resumable }),
    };
    return source.partitions?.(request) ?? Promise.resolve({ parts: [null] });
  };
  const scan = (stream: StreamSchema, request: Partial<ScanRequest>): AsyncIterable<Batch> => {
    if (source.scan === undefined) throw new Error(`${connector.type} has no scan`);
    return source.scan({ stream, size, accept: [], signal, repairable: false, ...request });
  };
  return {
    source,
    async schema(stream) {
      const info = (await source.discover(signal)).find(({ schema }) => schema.stream === stream);
      if (info === undefined) throw new Error(`there is no stream ${stream}`);
      return info.schema;
    },
    partitions,
    part: (stream, partition, options = {}) => scan(stream, { partition, ...options }),
    async full(stream, options = {}) {
      const { accept = [], cursor, each } = options;
      const batches: Batch[] = [];
      for (const partition of (await partitions(stream, options)).parts) {
        const request = { partition, accept, ...(options.size && { size: options.size }), ...(cursor && { cursor }) };
        for await (const batch of scan(stream, request)) {
          await each?.(batch);
          batches.push(batch);
        }
      }
      return batches;
    },
    async increment(stream, column, from, options = {}) {
      const cursor = { column, lookbackMs: 0 };
      const batches: Batch[] = [];
      for await (const batch of scan(stream, { cursor, repairable: true, ...(from && { from }), ...options })) {
        batches.push(batch);
      }
      const rows = batches.flatMap((batch) => (batch.kind === 'rows' ? batch.rows : []));
      return { rows, batches, after: batches.at(-1)?.after ?? from };
    },
    [Symbol.asyncDispose]: () => source.close(),
  };
}
