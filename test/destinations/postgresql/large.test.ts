import type { Row } from '../../../lib/core/batch';
import { openDestination } from '../../../lib/destinations';
import { column, options, orders, rowBatch } from '../../contracts/destination-harness';
import { postgresql } from '../../servers/postgresql';
import { describeWithServer } from '../../servers/require';
import { query, silent } from '../postgresql';

describeWithServer('large values on PostgreSQL 18', postgresql({ version: 18 }), (server) => {
  it('of 200 MB are stored, and what is larger than PostgreSQL takes goes to quarantine', async () => {
    const schema = orders([column('id', 'int64'), column('name', 'text'), column('data', 'bytes')]);
    const context = { integration: 'shop', namespace: 'large', deletes: 'hard' } as const;
    const destination = await openDestination('postgresql', { url: server().url }, context, { log: silent });
    const slice = { integration: 'shop', stream: 'orders', partition: 'increment' };
    await destination.prepare(slice, schema);
    await destination.claim(slice, 1);
    const text = 'line\n\u00fc'.repeat(35_000_000);
    const data = Buffer.alloc(500_000_000, 1);
    const rows: Row[] = [
      [1n, text, null],
      [2n, null, data.subarray(0, 100_000_000)],
      [3n, null, data],
    ];
    expect(await destination.write(rowBatch(schema, rows), slice, options())).toMatchObject({
      rows: 2,
      quarantined: 1,
    });
    expect(
      await query(server(), 'SELECT id, length(name) AS text, length(data) AS bytes FROM large.orders ORDER BY id'),
    ).toEqual([
      { id: '1', text: '210000000', bytes: null },
      { id: '2', text: null, bytes: '100000000' },
    ]);
    const [record] = await destination.quarantined({ limit: 1 });
    expect(record).toMatchObject({ field: 'data', reason: 'the value is larger than PostgreSQL can take' });
    await destination.close();
  });
});
