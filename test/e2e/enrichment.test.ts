import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { documentOf, makeDatabases, openEndToEnd } from './home';

describeWithServer('a pipeline that asks others', postgresql({ version: 18 }), (server) => {
  it('adds places and columns of the destination, filters, and keeps what it cannot judge aside', async () => {
    const databases = await makeDatabases(server());
    const { source, target } = databases;
    await source.query(`create schema crm; create table crm.customers (id bigint primary key, name text, updated_at timestamptz default now());
      insert into crm.customers values (1, 'Ann'), (2, 'Bob');
      create schema shop; create table shop.orders (id int primary key, customer int, ip inet, quantity int, price numeric(8,2),
        data jsonb, updated_at timestamptz not null default now());
      insert into shop.orders values (1, 1, '8.8.8.8', 2, 1.50, '{"status": "paid"}'), (2, 9, '2001:db8::1', 0, 1.50, '{"status": "paid"}'),
        (3, 2, null, 1, 2.00, '{"status": "test"}'), (4, 2, '8.8.8.8', null, 2.00, '{}')`);
    const home = await openEndToEnd(databases.targetUrl);
    const steps = [
      {
        type: 'data_enrichment',
        enrichments: [
          { field: 'country', source: 'ip_geolocation', input_field: 'ip' },
          {
            field: 'customer_name',
            source: 'lookup',
            input_field: 'customer',
            table: 'crm.crm__customers',
            match: 'id',
            value: 'name',
          },
        ],
      },
      { type: 'flatten', field: 'data', columns: { status: 'status' }, keep: false },
      { type: 'filter', expression: 'status != "test"' },
      { type: 'expression', field: 'total', expression: 'price * double(quantity)', as: 'decimal' },
      { type: 'mask', fields: ['ip'] },
    ];
    try {
      await home.store(documentOf(server(), 'crm'));
      expect(await home.sync('crm')).toMatchObject({ state: 'succeeded', rows: 2 });
      await home.store(documentOf(server(), 'shop', { transformations: steps }));
      expect(await home.sync('shop')).toMatchObject({ rows: 2, quarantined: 1 });
      const rows = async () =>
        (await target.query('select id, ip, country, customer_name, status, total from shop.shop__orders order by id'))
          .rows;
      expect(await rows()).toEqual([
        { id: '1', ip: '*.*.*.*', country: 'US', customer_name: 'Ann', status: 'paid', total: '3' },
        { id: '2', ip: '****:***::*', country: null, customer_name: null, status: 'paid', total: '0' },
      ]);
      const [kept] = await home.service.quarantined('shop', { limit: 9 });
      expect(kept).toMatchObject({ field: 'total', reason: expect.stringMatching(/^expression failed: /) });
      await source.query(`update shop.orders set data = '{"status": "test"}', updated_at = now() where id = 2`);
      await home.sync('shop');
      expect((await rows()).map(({ id }) => id)).toEqual(['1']);
    } finally {
      await home.close();
      await databases.close();
    }
  }, 60_000);
});
