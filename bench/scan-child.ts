import { keepHeapSmall } from '../lib/adapters/embedded/small-heap';
import { loadConnector } from '../lib/connectors';
import type { PartitionRequest, Source } from '../lib/core/connector';
import type { Json } from '../lib/core/json';
import type { Logger } from '../lib/core/log';
import { DEFAULT_OPTIONS } from '../lib/engine/ports';

/** What to read; the result is printed as JSON. */
export interface ScanTask {
  readonly type: string;
  readonly config: Json;
  readonly stream: string;
  /** Parts that are wanted, and read at the same time. */
  readonly want: number;
}

/** Seconds of one full read into nothing, and the peak of resident memory. */
export interface ScanResult {
  readonly seconds: number;
  readonly rows: number;
  readonly rssMb: number;
}

const log: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message) => console.error(message),
  with: () => log,
};

async function main({ type, config, stream, want }: ScanTask): Promise<ScanResult> {
  const source = await (await loadConnector(type)).open(config, { log });
  const { signal } = new AbortController();
  const begun = performance.now();
  const schema = (await source.discover(signal)).find((info) => info.schema.stream === stream)?.schema;
  if (schema === undefined) throw new Error(`there is no stream ${stream}`);
  const request: PartitionRequest = { stream: schema, want, signal };
  const { parts } = (await source.partitions?.(request)) ?? { parts: [null] };
  const counts = await Promise.all(parts.map((partition) => readPart(source, request, partition)));
  const seconds = (performance.now() - begun) / 1000;
  await source.close();
  const rows = counts.reduce((sum, count) => sum + count, 0);
  return { seconds, rows, rssMb: Math.round(process.resourceUsage().maxRSS / 1024) };
}

async function readPart(source: Source, { stream, signal }: PartitionRequest, partition: Json): Promise<number> {
  let rows = 0;
  const request = { stream, partition, size: DEFAULT_OPTIONS.batch, accept: [], signal, repairable: false };
  for await (const batch of source.scan?.(request) ?? []) if (batch.kind === 'rows') rows += batch.rows.length;
  return rows;
}

keepHeapSmall();
main(JSON.parse(process.argv[2] ?? '{}') as ScanTask).then(
  (result) => console.log(JSON.stringify(result)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
