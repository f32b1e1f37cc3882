import type { Row } from '../../../lib/core/batch';
import type { Reason, Rejection } from '../../../lib/core/destination';
import { INCREMENT, type SliceKey } from '../../../lib/core/position';
import type { QuarantineFilter } from '../../../lib/core/quarantine';
import type { StreamSchema } from '../../../lib/core/schema';
import { Secret } from '../../../lib/core/secret';
import { openDestination } from '../../../lib/destinations';
import { options, orders, rowBatch, signal } from '../../contracts/destination-harness';
import type { PostgresqlServer } from '../../servers/postgresql';
import { query, silent } from '../postgresql';

/** The increments of `orders`. */
export const INCREMENTS: SliceKey = { integration: 'shop', stream: 'orders', partition: INCREMENT };

const BAD: readonly Reason[] = [{ message: 'bad', field: 'name', rule: 'range' }];

/** How a quarantine is opened; by default `orders` with a key. */
export interface Opening {
  readonly key?: string;
  readonly shape?: StreamSchema;
}

/** Opens a destination with a table `orders`, and what tests do with its quarantine. */
export async function openQuarantine(server: PostgresqlServer, namespace: string, opening: Opening = {}) {
  const { key, shape = orders() } = opening;
  const { user, password, database, port } = server;
  const config = { host: '127.0.0.1', port, username: user, database, password: password || 'none' };
  const context = { integration: 'shop', namespace, deletes: 'hard' } as const;
  const secret = key === undefined ? {} : { quarantineKey: new Secret(key) };
  const destination = await openDestination('postgresql', config, { ...context, ...secret }, { log: silent });
  await destination.prepare(INCREMENTS, shape);
  await destination.claim(INCREMENTS, 1);
  const { quarantine } = destination;
  if (!quarantine) throw new Error('there is no quarantine');
  const rejections = (rows: readonly Row[], more: Partial<Rejection> = {}): Rejection[] =>
    rows.map((row) => ({ row, schema: shape, reasons: BAD, ...more }));
  return {
    destination,
    quarantine,
    rejections,
    /** Writes rows, and one that is rejected. */
    reject: (row: Row, rows: Row[] = [], slice = INCREMENTS) =>
      destination.write(rowBatch(shape, rows), slice, options(1, { rejected: rejections([row]) })),
    /** Replays what a filter finds, as the engine does where there are no steps. */
    async replay(dryRun = false, filter: QuarantineFilter = {}, interrupted = signal) {
      const entries = await quarantine.entries(filter, { limit: 100 });
      const items = entries.flatMap(({ id, revision, record }) =>
        record ? [{ id, revision, row: record.row, op: record.op }] : [],
      );
      return quarantine.replay({ schema: shape, items, failed: [], leftOut: [], dryRun, signal: interrupted });
    },
    rows: () => query(server, `SELECT id, name FROM ${namespace}.orders ORDER BY id, name`),
    /** Begins a full load. */
    async load(name: string): Promise<SliceKey> {
      const part = { ...INCREMENTS, partition: '0', load: name };
      await destination.prepare(part, shape);
      await destination.claim(part, 1);
      return part;
    },
    publish: (name: string) => destination.publish(shape, name, { signal }),
  };
}
