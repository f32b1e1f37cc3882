import { DynamoStateStore } from '../../lib/adapters/aws/state';
import { exportState, importState } from '../../lib/engine/transfer';
import { clientOf, createStateTable } from '../adapters/aws/state-table';
import { ManualClock } from '../memory/clock';
import { MemoryStateStore } from '../memory/state';
import { dynalite } from '../servers/dynalite';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { documentOf, makeDatabases, openEndToEnd } from './home';

const NOW = '2026-11-25T00:00:00.000Z';

describeWithServer('moving to another home', dynalite(), (cloud) => {
  describeWithServer('with one destination', postgresql({ version: 18 }), (server) => {
    it('goes on where the first home stood: no row is read twice, none is missed', async () => {
      const databases = await makeDatabases(server());
      const { source, target } = databases;
      await source.query(`create schema shop; create table shop.t (id int primary key, updated_at timestamptz not null default now());
        insert into shop.t select g from generate_series(1, 500) g`);
      const first = await openEndToEnd(databases.targetUrl);
      const second = await openEndToEnd(databases.targetUrl);
      try {
        await first.store(documentOf(server(), 'shop'));
        expect((await first.sync('shop')).rows).toBe(500);
        await source.query('insert into shop.t values (501), (502)');
        expect((await first.sync('shop')).rows).toBe(2);
        // By way of the cloud's store, so that it is seen to take and give what the laptop's does.
        const clock = new ManualClock();
        const client = clientOf(cloud());
        const table = new DynamoStateStore({ client, table: await createStateTable(client), clock });
        const exported = await exportState(first.state);
        for (let time = 0; time < 2; time++) expect(await importState(table, exported, NOW)).toEqual(['shop']);
        await importState(second.state, JSON.parse(JSON.stringify(await exportState(table))), NOW);
        await source.query('insert into shop.t values (503)');
        expect(await second.sync('shop')).toMatchObject({ state: 'succeeded', rows: 1 });
        const count = 'select count(*) as rows, count(distinct id) as ids from shop.shop__t';
        expect((await target.query(count)).rows).toEqual([{ rows: '503', ids: '503' }]);
      } finally {
        await first.close();
        await second.close();
        await databases.close();
      }
    }, 60_000);
  });
});

describe('an import', () => {
  const entry = { integration: 'shop', document: { name: 'shop' }, created_at: NOW, fences: { t: 3 }, loads: {} };

  it('refuses what no export is, by its field, and writes nothing', async () => {
    const state = new MemoryStateStore(new ManualClock());
    const bad = { format: 1, integrations: [entry, { ...entry, fences: { t: -1 } }] };
    await expect(importState(state, bad, NOW)).rejects.toMatchObject({
      code: 'invalid_export',
      message: expect.stringContaining('integrations.1.fences.t'),
    });
    expect(await exportState(state)).toEqual({ format: 1, integrations: [] });
  });

  it('refuses to replace another integration of the same name, and never lowers a fence', async () => {
    const state = new MemoryStateStore(new ManualClock());
    await importState(state, { format: 1, integrations: [entry] }, NOW);
    await importState(state, { format: 1, integrations: [{ ...entry, fences: { t: 1 } }] }, NOW);
    expect((await exportState(state)).integrations).toEqual([entry]);
    const other = { ...entry, document: { name: 'shop', type: 'other' } };
    await expect(importState(state, { format: 1, integrations: [other] }, NOW)).rejects.toMatchObject({
      code: 'already_exists',
    });
  });

  it('is not made of a home in which something runs', async () => {
    const state = new MemoryStateStore(new ManualClock());
    await state.put({ partition: 'active', sort: 'shop' }, 'run-1', undefined);
    await expect(exportState(state)).rejects.toMatchObject({ code: 'run_active', run: 'run-1' });
  });
});
