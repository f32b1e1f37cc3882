import { keepHeapSmall } from '../lib/adapters/embedded/small-heap';
import { loadConnector } from '../lib/connectors';
import type { Json } from '../lib/core/json';
import type { Position } from '../lib/core/position';
import { silentLog } from '../test/memory/scheduler';
import type { ScanResult } from './scan-child';

/** Whose changes to read: from a position into nothing, or, without one, from where on they are recorded. */
export interface FeedTask {
  readonly type: string;
  readonly config: Json;
  readonly from?: Position;
  readonly size: { readonly rows: number; readonly bytes: number };
}

/** What was read, or from where on there is something to read. */
export type FeedResult = ScanResult & { readonly position: Position };

async function main({ type, config, from, size }: FeedTask): Promise<FeedResult> {
  const source = await (await loadConnector(type)).open(config, { log: silentLog, follower: 'bench' });
  const { signal } = new AbortController();
  const streams = (await source.discover(signal)).map(({ schema }) => schema);
  if (source.feed === undefined) throw new Error(`${type} has no feed`);
  const begun = performance.now();
  let rows = 0;
  const { position } = from ? { position: from } : await source.feed.head({ streams, signal });
  if (from) {
    for await (const batch of source.feed.read({ streams, from, follow: false, size, accept: [], signal })) {
      if (batch.kind === 'rows') rows += batch.rows.length;
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  await source.close();
  return { seconds, rows, rssMb: Math.round(process.resourceUsage().maxRSS / 1024), position };
}

keepHeapSmall();
main(JSON.parse(process.argv[2] ?? '{}') as FeedTask).then(
  (result) => console.log(JSON.stringify(result)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
