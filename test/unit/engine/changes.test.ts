import type { Engine } from '../../../lib/engine/engine';
import { document, Home, syncAll } from './home';

const CDC = { sync_strategy: { type: 'cdc' } };
const INCREMENTAL = { sync_strategy: { type: 'incremental', timestamp_field: 'changed' } };

describe('changes by a log', () => {
  let home: Home;
  let engine: Engine;
  beforeEach(() => {
    home = new Home();
    home.fill('orders', 3);
    engine = home.engine();
  });

  const equal = () => {
    const source = home.database.snapshot('orders').map(({ id, text, changed }) => `${id}|${text}|${changed}`);
    expect(home.store.visible('shop', 'orders')).toEqual(source);
  };

  it('are followed after every stream was read once, with updates and deletes', async () => {
    await engine.service.create(document(CDC));
    await syncAll(home, engine);
    equal();
    home.database.put('orders', 1, 'updated');
    home.database.remove('orders', 2);
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'succeeded', rows: 2 });
    equal();
  });

  it('that happen while a stream is read for the first time are not lost', async () => {
    await engine.service.create(document(CDC));
    let once = true;
    home.hooks.scan = (_request, batch) => {
      if (batch !== 1 || !once) return;
      once = false;
      home.database.put('orders', 1, 'while reading');
      home.database.put('orders', 9, 'while reading');
      home.database.remove('orders', 3);
    };
    await syncAll(home, engine);
    await syncAll(home, engine);
    equal();
  });

  it('of a stream that comes later are followed after it was read', async () => {
    await engine.service.create(document(CDC));
    await syncAll(home, engine);
    home.fill('people', 2);
    await syncAll(home, engine);
    home.database.put('people', 1, 'later');
    await syncAll(home, engine);
    expect(home.store.visible('shop', 'people')[0]).toContain('1|later');
  });

  it('since the last increment are not lost when a document changes to them', async () => {
    await engine.service.create(document(INCREMENTAL));
    await syncAll(home, engine);
    home.database.put('orders', 1, 'in between');
    home.database.remove('orders', 2);
    await engine.service.update('shop', document(CDC), undefined);
    await syncAll(home, engine);
    await syncAll(home, engine);
    equal();
  });

  it.each(['request', 'document'])('and increments do not share their positions (by %s)', async (by) => {
    await engine.service.create(document({ sync_strategy: { type: 'cdc', timestamp_field: 'changed' } }));
    await syncAll(home, engine);
    home.database.put('orders', 1, 'later');
    if (by === 'document') await engine.service.update('shop', document(INCREMENTAL), undefined);
    await syncAll(home, engine, by === 'request' ? { type: 'incremental' } : {});
    equal();
  });

  it('begin from now on with initial_sync none', async () => {
    await engine.service.create(document({ sync_strategy: { type: 'cdc', initial_sync: 'none' } }));
    await syncAll(home, engine);
    expect(home.visible('orders')).toBe(0);
    home.database.put('orders', 9, 'new');
    await syncAll(home, engine);
    expect(home.visible('orders')).toBe(1);
  });

  it('of many streams are followed', async () => {
    for (let table = 0; table < 1200; table++) home.fill(`public.customer_${table}`, 1);
    await engine.service.create(document(CDC));
    const { state, rows, fault } = await syncAll(home, engine);
    expect({ state, rows, fault }).toEqual({ state: 'succeeded', rows: 1203 });
  });
});
