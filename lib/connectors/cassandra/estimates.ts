import { toFault } from '../../core/fault';
import { classify } from './classify';
import type { Cluster } from './client';
import type { Estimate } from './table';
import { bigintOf } from './types';

const RING = 2n ** 64n;
const MAX_TOKEN = 2n ** 63n - 1n;
const MIN_TOKEN = -(2n ** 63n);

interface Sum {
  partitions: number;
  bytes: number;
  width: bigint;
}

/** What one node estimates for its share of the ring, for the whole of it; nothing for tables that were just filled. */
export async function estimates(
  signal: AbortSignal,
  cluster: Cluster,
  keyspace: string,
): Promise<ReadonlyMap<string, Estimate>> {
  const cql = `select table_name, range_start, range_end, partitions_count, mean_partition_size
    from system.size_estimates where keyspace_name = ?`;
  const sums = new Map<string, Sum>();
  for (const row of await allowedRows(() => cluster.system(signal, { cql, values: [keyspace] }))) {
    const name = String(row.get('table_name'));
    const sum = sums.get(name) ?? { partitions: 0, bytes: 0, width: 0n };
    const partitions = Number(row.get('partitions_count'));
    sum.partitions += partitions;
    sum.bytes += partitions * Number(row.get('mean_partition_size'));
    sum.width += width(bigintOf(row.get('range_start')), bigintOf(row.get('range_end')));
    sums.set(name, sum);
  }
  return new Map([...sums].map(([name, sum]) => [name, whole(sum)]));
}

async function allowedRows<T>(read: () => Promise<T[]>): Promise<T[]> {
  try {
    return await read();
  } catch (error) {
    // Before version 4 a role may not see them by itself.
    if (toFault(error, 'estimating', classify).code === 'permission_denied') return [];
    throw error;
  }
}

function width(start: bigint, end: bigint): bigint {
  const to = end === MIN_TOKEN ? MAX_TOKEN : end;
  return to > start ? to - start : RING - (start - to);
}

function whole({ partitions, bytes, width }: Sum): Estimate {
  const share = Math.min(1, Math.max(Number(width) / Number(RING), 1e-6));
  return { rows: Math.round(partitions / share), bytes: Math.round(bytes / share) };
}
