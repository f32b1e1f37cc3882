import type { Row } from '../../../lib/core/batch';
import { INCREMENT } from '../../../lib/core/position';
import { Secret } from '../../../lib/core/secret';
import { openDestination } from '../../../lib/destinations';
import { options, orders, rowBatch, signal } from '../../contracts/destination-harness';
import { type PostgresqlServer, postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { query, silent } from '../postgresql';

const schema = orders();
const slice = { integration: 'shop', stream: 'orders', partition: INCREMENT };
const rejected = (row: Row) => [{ row, schema, reasons: [{ message: 'bad', field: 'name', rule: 'range' }] }];

async function open(server: PostgresqlServer, namespace: string, key?: string, shape = schema) {
  const { user, password, database, port } = server;
  const config = { host: '127.0.0.1', port, username: user, database, password: password || 'none' };
  const context = { integration: 'shop', namespace, deletes: 'hard' } as const;
  const secret = key === undefined ? {} : { quarantineKey: new Secret(key) };
  const destination = await openDestination('postgresql', config, { ...context, ...secret }, { log: silent });
  await destination.prepare(slice, shape);
  await destination.claim(slice, 1);
  const { quarantine } = destination;
  if (!quarantine) throw new Error('there is no quarantine');
  const reject = (row: Row, rows: Row[] = [], ops?: number[]) =>
    destination.write(
      rowBatch(shape, rows, 1, ops),
      slice,
      options(1, { rejected: rejected(row).map((one) => ({ ...one, schema: shape })) }),
    );
  const replay = async (dryRun = false) => {
    const entries = await quarantine.entries({}, { limit: 100 });
    const items = entries.flatMap(({ id, record }) => (record ? [{ id, row: record.row, op: record.op }] : []));
    return quarantine.replay({ schema: shape, items, failed: [], leftOut: [], dryRun, signal });
  };
  const rows = () => query(server, `SELECT id, name FROM ${namespace}.orders ORDER BY id`);
  return { destination, quarantine, reject, replay, rows };
}

describeWithServer('quarantine on PostgreSQL 15', postgresql({ version: 15 }), (server) => {
  it('keeps one entry of each key, encrypted, and gives it back typed', async () => {
    const { destination, quarantine, reject } = await open(server(), 'q_keep', 'key one');
    await reject([1n, 'canary-old']);
    await reject([1n, 'canary-new']);
    const stored = await query(server(), 'SELECT q::text AS text FROM q_keep._explorerio_quarantine q');
    expect(stored).toHaveLength(1);
    expect(JSON.stringify(stored)).not.toContain('canary');
    expect(await quarantine.entries({ field: 'name' }, { limit: 9 })).toMatchObject([
      { record: { row: [1n, 'canary-new'] } },
    ]);
    expect(await quarantine.entries({ reason: 'other' }, { limit: 9 })).toEqual([]);
    await destination.close();
    const other = await open(server(), 'q_keep', 'key two');
    expect(await other.quarantine.entries({}, { limit: 9 })).toMatchObject([{ problem: expect.stringMatching(/key/) }]);
    expect(await other.destination.quarantined({ limit: 9 })).toHaveLength(1);
    await other.destination.close();
  });

  it('loads once, also when two do it at once, and a dry run changes nothing', async () => {
    const keyless = orders(undefined, []);
    const { destination, quarantine, reject, replay, rows } = await open(server(), 'q_once', 'key', keyless);
    await reject([1n, 'a']);
    expect(await replay(true)).toMatchObject([{ state: 'loaded' }]);
    expect(await rows()).toEqual([]);
    const both = (await Promise.all([replay(), replay()])).flat();
    expect(both.filter(({ state }) => state === 'loaded')).toHaveLength(1);
    expect(await rows()).toEqual([{ id: '1', name: 'a' }]);
    expect(await quarantine.entries({}, { limit: 9 })).toEqual([]);
    await destination.close();
  });

  it('never overwrites what is newer, and does not bring back what was deleted', async () => {
    const { destination, reject, replay, rows } = await open(server(), 'q_newer', 'key');
    await reject([1n, 'old']);
    await reject([2n, 'gone']);
    await destination.write(rowBatch(schema, [[1n, 'new']], 2), slice, options());
    await destination.write(rowBatch(schema, [[2n, null]], 3, [2]), slice, options());
    expect(await replay()).toMatchObject([{ state: 'superseded' }]);
    expect(await rows()).toEqual([{ id: '1', name: 'new' }]);
    await reject([1n, 'newest']);
    expect(await replay()).toMatchObject([{ state: 'loaded' }]);
    expect(await rows()).toEqual([{ id: '1', name: 'newest' }]);
    await destination.close();
  });

  it('waits for the load that it came from, and gives way to a later one', async () => {
    const { destination, quarantine, replay, rows } = await open(server(), 'q_load', 'key');
    const load = async (name: string) => {
      const part = { integration: 'shop', stream: 'orders', partition: '0', load: name };
      await destination.prepare(part, schema);
      await destination.claim(part, 1);
      return part;
    };
    const first = await load('l1');
    await destination.write(rowBatch(schema, []), first, options(1, { rejected: rejected([1n, 'a']) }));
    expect(await replay()).toMatchObject([{ state: 'postponed' }]);
    await destination.publish(schema, 'l1', { signal });
    expect(await replay(true)).toMatchObject([{ state: 'loaded' }]);
    await load('l2');
    await destination.publish(schema, 'l2', { signal });
    expect(await replay()).toMatchObject([{ state: 'superseded' }]);
    expect(await rows()).toEqual([]);
    expect(await quarantine.entries({}, { limit: 9 })).toEqual([]);
    await destination.close();
  });
});
