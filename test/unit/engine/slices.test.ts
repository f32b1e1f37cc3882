import { setImmediate } from 'node:timers/promises';
import type { Engine } from '../../../lib/engine/engine';
import { document, faultOf, finish, Home, MANUAL, NEVER, syncAll } from './home';

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await setImmediate();
};

describe('parallel slices', () => {
  let home: Home;
  beforeEach(() => {
    home = new Home();
    // Every batch takes a while, so that scans overlap wherever they may.
    home.hooks.scan = () => turns(3);
  });

  async function start(parallel: number, streams: number, rows = 20): Promise<Engine> {
    for (let stream = 0; stream < streams; stream++) home.fill(`s${stream}`, rows);
    const engine = home.engine({ parallel });
    await engine.service.create(document());
    return engine;
  }

  /** Works with many workers until the run has ended; messages may have come more than once. */
  async function workAll(engine: Engine, workers: number, copies = 1) {
    const stop = new AbortController();
    const working = engine.work(workers, stop.signal);
    await turns(5);
    const request = { ...MANUAL, idempotencyKey: 'one' };
    const { id } = await engine.service.sync('shop', request);
    for (let copy = 1; copy < copies; copy++) await engine.service.sync('shop', request);
    const run = await engine.service.wait(id, NEVER);
    stop.abort();
    await working;
    return run;
  }

  it.each([1, 2, 3])('read with parallel %i at most as many at the same time, and all of it', async (parallel) => {
    const engine = await start(parallel, 5);
    expect(await workAll(engine, 8)).toMatchObject({ state: 'succeeded', rows: 100, slices: 5 * parallel });
    expect(home.mostScans).toBeLessThanOrEqual(parallel);
    expect(home.mostScans).toBeGreaterThanOrEqual(Math.min(parallel, 2));
  });

  it('take the number from the document before that of the process', async () => {
    const engine = await start(1, 2);
    await engine.service.update('shop', document({ sync_settings: { parallel: 3 } }), undefined);
    expect(await workAll(engine, 8)).toMatchObject({ rows: 40, slices: 6 });
    expect(home.mostScans).toBeLessThanOrEqual(3);
  });

  it('leave a message alone that comes while as many as allowed are read', async () => {
    const engine = await start(1, 2, 4);
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    home.hooks.scan = (_request, batch) => (batch === 1 ? held : undefined);
    const { id } = await engine.service.sync('shop', MANUAL);
    const working = engine.step(0, NEVER);
    await turns(30);
    await engine.recover();
    const others = [engine.step(0, NEVER), engine.step(0, NEVER)];
    await turns(60);
    expect(home.scans).toBe(1);
    letGo();
    await Promise.all([working, ...others]);
    expect(await finish(home, engine, id)).toMatchObject({ state: 'succeeded', rows: 8 });
    expect(home.mostScans).toBe(1);
  });

  it('of a single stream are read at the same time, too', async () => {
    const engine = await start(2, 1, 60);
    expect(await workAll(engine, 2)).toMatchObject({ rows: 60, slices: 2 });
    expect(home.mostScans).toBe(2);
  });

  it('stay within their number when messages come more than once', async () => {
    const engine = await start(2, 3);
    expect(await workAll(engine, 8, 6)).toMatchObject({ state: 'succeeded', rows: 60 });
    expect(home.mostScans).toBeLessThanOrEqual(2);
  });

  it('stay within their number when an earlier stream becomes free again', async () => {
    const engine = await start(2, 3, 4);
    let failed = false;
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    home.hooks.scan = async ({ stream }, batch) => {
      if (stream.stream === 's0' && !failed) {
        failed = true;
        throw faultOf('transient');
      }
      if (failed && stream.stream !== 's0' && batch === 0) await held;
    };
    const { id } = await engine.service.sync('shop', { ...MANUAL, idempotencyKey: 'x' });
    const working = [engine.step(0, NEVER)];
    await turns(10);
    working.push(engine.step(0, NEVER));
    for (let round = 0; round < 40 && home.scans < 2; round++) {
      await turns(10);
      await home.clock.jump(1);
      working.push(engine.step(0, NEVER));
    }
    expect(home.scans).toBe(2);
    await home.clock.jump(2000);
    await engine.recover();
    working.push(engine.step(0, NEVER));
    await turns(60);
    letGo();
    await Promise.all(working);
    expect(await finish(home, engine, id, 2)).toMatchObject({ state: 'succeeded' });
    expect(home.mostScans).toBeLessThanOrEqual(2);
  });
});

describe('a work budget', () => {
  it('ends a slice at a batch and goes on where it ended, however short it is', async () => {
    const home = new Home();
    home.fill('orders', 10);
    const engine = home.engine({ workBudgetMs: 1000 });
    await engine.service.create(document());
    let read = 0;
    home.hooks.scan = async () => {
      read++;
      await home.clock.advance(1500);
    };
    const { id } = await engine.service.sync('shop', MANUAL);
    const rows: number[] = [];
    for (let steps = 0; steps < 12 && (await engine.step(0, NEVER)); steps++)
      rows.push((await engine.service.run(id)).rows);
    // Two rows a batch: each step writes one batch at least, none twice, and reads at most one more ahead.
    expect(rows.filter((count) => count < 10)).toEqual([2, 4, 6, 8]);
    expect(await engine.service.run(id)).toMatchObject({ state: 'succeeded', rows: 10 });
    expect(home.visible('orders')).toBe(10);
    expect(read).toBeLessThanOrEqual(12);
    expect(home.scans).toBe(0);
  });

  it('does not interrupt what fits into it', async () => {
    const home = new Home();
    home.fill('orders', 10);
    const engine = home.engine({ workBudgetMs: 60_000 });
    await engine.service.create(document());
    const { id } = await engine.service.sync('shop', MANUAL);
    await engine.step(0, NEVER);
    expect(await engine.service.run(id)).toMatchObject({ state: 'succeeded', rows: 10 });
  });
});

describe('what a document selects', () => {
  let home: Home;
  let engine: Engine;
  beforeEach(() => {
    home = new Home();
    home.fill('orders', 4);
    home.fill('people', 2);
    engine = home.engine();
  });
  const incremental = { type: 'incremental', timestamp_field: 'changed' };

  it('leaves out a stream that is not enabled', async () => {
    await engine.service.create(document({ streams: { people: { enabled: false } } }));
    const run = await syncAll(home, engine);
    expect(run.streams.map(({ stream }) => stream)).toEqual(['orders']);
    expect([...home.store.tables.keys()]).toEqual(['shop/orders']);
  });

  it('reads nothing first with initial_sync none, and what is new from then on', async () => {
    await engine.service.create(document({ sync_strategy: { ...incremental, initial_sync: 'none' } }));
    expect(await syncAll(home, engine)).toMatchObject({ state: 'succeeded', rows: 0 });
    expect(home.visible('orders')).toBe(0);
    home.database.put('orders', 9, 'new');
    await syncAll(home, engine);
    expect(home.store.visible('shop', 'orders')).toContain('9|new|7');
    expect(home.visible('orders')).toBeLessThanOrEqual(2);
  });

  it('reads everything with initial_sync none when a full read is asked for', async () => {
    await engine.service.create(document({ sync_strategy: { ...incremental, initial_sync: 'none' } }));
    expect(await syncAll(home, engine, { type: 'full' })).toMatchObject({ state: 'succeeded', rows: 6 });
  });

  it('reads increments after the first time, and everything when asked', async () => {
    await engine.service.create(document({ sync_strategy: incremental }));
    await syncAll(home, engine);
    home.database.put('orders', 1, 'changed');
    const next = await syncAll(home, engine);
    expect(next.streams[0]).toMatchObject({ mode: 'incremental', reason: expect.stringContaining('changed') });
    expect(next.rows).toBeLessThan(6);
    expect(home.store.visible('shop', 'orders')[0]).toBe('1|changed|7');
    home.database.remove('orders', 1);
    expect(await syncAll(home, engine, { type: 'full' })).toMatchObject({ rows: 5, requested: 'full' });
    expect(home.visible('orders')).toBe(3);
  });

  it('brings all that is new with initial_sync none also after the position was lost', async () => {
    await engine.service.create(document({ sync_strategy: { ...incremental, initial_sync: 'none' } }));
    await syncAll(home, engine);
    home.database.put('orders', 9, 'new');
    home.hooks.scan = (request) => {
      if (request.partition === undefined && request.stream.stream === 'orders') throw faultOf('lost', 'position_lost');
    };
    const run = await syncAll(home, engine);
    const brought = home.store.visible('shop', 'orders').includes('9|new|7');
    expect({ state: run.state, brought }).not.toEqual({ state: 'succeeded', brought: false });
  });

  it('takes batches of the size that is asked for', async () => {
    await engine.service.create(document({ sync_settings: { batch_size: 3 } }));
    const sizes: number[] = [];
    home.hooks.write = (batch) => void (batch.kind === 'rows' && sizes.push(batch.rows.length));
    await syncAll(home, engine);
    expect(sizes).toEqual([3, 1, 2]);
  });

  it.each([
    ['auto', 'bytes'],
    ['off', 'rows'],
  ])('moves with bulk %s %s', async (bulk, kind) => {
    home.bytes = true;
    await engine.service.create(document({ sync_settings: { bulk } }));
    const kinds = new Set<string>();
    home.hooks.write = (batch) => void kinds.add(batch.kind);
    expect(await syncAll(home, engine)).toMatchObject({ rows: 6 });
    expect([...kinds]).toEqual([kind]);
  });
});
