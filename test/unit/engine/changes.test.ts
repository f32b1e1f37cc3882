import { type Batch, Op } from '../../../lib/core/batch';
import { Fault } from '../../../lib/core/fault';
import type { IntegrationDocument } from '../../../lib/core/integration';
import { withoutDeletes } from '../../../lib/engine/captured';
import type { Engine } from '../../../lib/engine/engine';
import { keepsShapes, schemaPolicy } from '../../../lib/engine/schema-policy';
import { memorySchema } from '../../memory/source';
import { document, Home, NEVER, syncAll } from './home';

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

  it('are followed again after the source has lost some of its log: every stream is read anew', async () => {
    home.fill('people', 2);
    await engine.service.create(document(CDC));
    await syncAll(home, engine);
    home.database.remove('orders', 2);
    home.database.put('people', 1, 'changed');
    home.database.forgotten = home.database.log.length;
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.streams.map(({ notes }) => notes.join())).toEqual([
      expect.any(String),
      expect.stringContaining('read anew: the log of changes begins later'),
      expect.stringContaining('read anew'),
    ]);
    equal();
    home.database.put('orders', 7, 'after it');
    expect(await syncAll(home, engine)).toMatchObject({ rows: 1 });
    equal();
  });

  it('are not taken for complete when the run dies that found a gap', async () => {
    await engine.service.create(document(CDC));
    await syncAll(home, engine);
    home.database.remove('orders', 2);
    home.database.forgotten = home.database.log.length;
    let once = true;
    home.hooks.scan = () => {
      if (!once) return;
      once = false;
      throw new Fault('config', 'gone', 'not this time');
    };
    expect(await syncAll(home, engine)).toMatchObject({ state: 'partial' });
    await syncAll(home, engine);
    equal();
  });

  it('of a stream that was left out for a while are found by reading it anew', async () => {
    await engine.service.create(document(CDC));
    await syncAll(home, engine);
    await engine.service.update('shop', document({ ...CDC, streams: { orders: { enabled: false } } }), undefined);
    home.database.put('orders', 1, 'unseen');
    home.database.remove('orders', 2);
    home.fill('people', 1);
    await syncAll(home, engine);
    await engine.service.update('shop', document(CDC), undefined);
    await syncAll(home, engine);
    equal();
  });

  it('of a stream that was left out are found also by increments', async () => {
    await engine.service.create(document(CDC));
    await syncAll(home, engine);
    const left = { streams: { orders: { enabled: false } } };
    await engine.service.update('shop', document({ ...CDC, ...left }), undefined);
    home.database.put('orders', 1, 'unseen');
    home.fill('people', 1);
    await syncAll(home, engine);
    await engine.service.update('shop', document(INCREMENTAL), undefined);
    await syncAll(home, engine);
    equal();
  });

  it('of a stream that the source records only from now on are found by reading it anew', async () => {
    await engine.service.create(document(CDC));
    await syncAll(home, engine);
    home.database.log.length = 0;
    home.database.put('orders', 1, 'recorded');
    home.database.log.length = 0;
    home.database.begun.push('orders');
    await syncAll(home, engine);
    equal();
  });

  it.each([true, false])('apply deletes where capture_deletes is %s', async (captured) => {
    await engine.service.create(document({ sync_strategy: { type: 'cdc', capture_deletes: captured } }));
    await syncAll(home, engine);
    home.database.remove('orders', 2);
    home.database.put('orders', 1, 'updated');
    await syncAll(home, engine);
    expect(home.visible('orders')).toBe(captured ? 2 : 3);
    expect(home.store.visible('shop', 'orders')[0]).toContain('1|updated');
    expect(await syncAll(home, engine)).toMatchObject({ rows: 0 });
  });

  it('without deletes keep what a truncate would take, and move on all the same', async () => {
    const schema = memorySchema('orders');
    const after = (value: number) => ({ format: 1, value });
    const all = async function* (): AsyncGenerator<Batch> {
      yield {
        kind: 'rows',
        schema,
        after: after(1),
        rows: [[1], [2]],
        ops: Uint8Array.of(Op.Delete, Op.Update),
        open: true,
      };
      yield { kind: 'truncate', schema, after: after(2), sourceTime: 5 };
      yield { kind: 'rows', schema, after: after(3), rows: [[3]], sourceTime: 6 };
    };
    const left: Batch[] = [];
    for await (const batch of withoutDeletes(all())) left.push(batch);
    expect(left).toEqual([
      { kind: 'rows', schema, after: after(1), rows: [[2]], ops: Uint8Array.of(Op.Update), open: true },
      { kind: 'rows', schema, after: after(2), rows: [], sourceTime: 5 },
      { kind: 'rows', schema, after: after(3), rows: [[3]], sourceTime: 6 },
    ]);
  });

  it('are read every minute, unless the document says when', async () => {
    await engine.service.create(document(CDC));
    expect(await home.scheduler.list()).toEqual([{ integration: 'shop', cron: '* * * * *', timeZone: 'UTC' }]);
    const daily = { ...CDC, sync_settings: { schedule: '0 3 * * *' } };
    await engine.service.update('shop', document(daily), undefined);
    expect(await home.scheduler.list()).toMatchObject([{ cron: '0 3 * * *' }]);
    await engine.service.update('shop', document({ ...daily, enabled: false }), undefined);
    expect(await home.scheduler.list()).toEqual([]);
  });

  it('are not kept for anybody once the integration is removed, or reads otherwise', async () => {
    await engine.service.create(document(CDC));
    await engine.service.update('shop', document(CDC), undefined);
    expect(home.database.followers).toBe(1);
    await engine.service.update('shop', document(INCREMENTAL), undefined);
    expect(home.database.followers).toBe(0);
    home.database.followers = 1;
    await engine.service.remove('shop', { data: true });
    expect(home.database.followers).toBe(1);
    await engine.service.create(document(CDC));
    await engine.service.remove('shop', { data: true });
    expect(home.database.followers).toBe(0);
  });

  it('do not keep an integration from being removed whose source is gone', async () => {
    await engine.service.create(document(CDC));
    home.hooks.open = () => {
      throw new Fault('transient', 'gone', 'nobody there');
    };
    await engine.service.remove('shop', { data: true });
    expect(await engine.service.list()).toEqual([]);
  });

  it('keep the shape of streams where capture_schema_changes is false', () => {
    const fields = (more: object) => ({
      sync_strategy: { type: 'cdc' as const, capture_schema_changes: false },
      ...more,
    });
    expect(schemaPolicy(fields({}), 'orders')).toBe('quarantine');
    expect(schemaPolicy(fields({ destination: { schema_changes: 'pause' } }), 'orders')).toBe('pause');
    expect(schemaPolicy({ sync_strategy: { type: 'cdc' } }, 'orders')).toBe('apply');
    expect(keepsShapes(fields({}))).toBe(true);
    expect(keepsShapes({ sync_strategy: { type: 'cdc', capture_schema_changes: true } })).toBe(false);
    expect(keepsShapes({ sync_strategy: { capture_schema_changes: false } })).toBe(false);
  });

  it('that a stream does not have are replaced by increments, and it is said', async () => {
    home.hooks.discovered = (infos) =>
      infos.map((info) => ({ ...info, modes: ['full', 'incremental'], notes: ['no'] }));
    const written = document({ sync_strategy: { type: 'cdc', timestamp_field: 'changed' } });
    const { streams } = await engine.service.plan(written as IntegrationDocument, NEVER);
    expect(streams).toMatchObject([
      {
        mode: 'incremental',
        cursor: 'changed',
        reason: expect.stringContaining('changes cannot be followed'),
        warnings: ['no'],
      },
    ]);
    await engine.service.create(written);
    await syncAll(home, engine);
    home.database.put('orders', 1, 'later');
    await syncAll(home, engine);
    equal();
  });
});
