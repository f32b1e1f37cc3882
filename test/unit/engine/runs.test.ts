import { setImmediate } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { Engine } from '../../../lib/engine/engine';
import { document, faultFrom, faultOf, finish, Home, MANUAL, NEVER, QUEUED, syncAll } from './home';

describe('runs', () => {
  let home: Home;
  let engine: Engine;
  beforeEach(async () => {
    home = new Home();
    home.fill('orders', 5);
    engine = home.engine();
    await engine.service.create(document());
  });

  const state = async (id: string) => (await engine.service.run(id)).state;
  const stepAll = async () => {
    while (await engine.step(0, NEVER));
  };
  /** Starts a run whose scan waits until it is let go, or its signal aborts. */
  async function blocked() {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let aborted = false;
    home.hooks.scan = async (request, batch) => {
      if (batch !== 1) return;
      request.signal.addEventListener('abort', () => {
        aborted = true;
        letGo();
      });
      await held;
    };
    const run = await engine.service.sync('shop', MANUAL);
    const working = engine.step(0, NEVER);
    for (let turn = 0; turn < 50 && home.scans === 0; turn++) await setImmediate();
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    return { id: run.id, working, letGo, wasAborted: () => aborted };
  }

  it('bring every row and count what was read', async () => {
    home.fill('people', 4);
    const run = await syncAll(home, engine);
    expect(run).toMatchObject({
      state: 'succeeded',
      rows: 9,
      slices: 2,
      retries: 0,
      quarantined: 0,
      trigger: 'manual',
    });
    expect(run.streams.map(({ stream, rows, state: s }) => [stream, rows, s])).toEqual([
      ['orders', 5, 'succeeded'],
      ['people', 4, 'succeeded'],
    ]);
    expect(home.visible('orders')).toBe(5);
    expect(await engine.service.run(run.id)).toEqual(run);
  });

  it('are refused while another goes on, naming it, and nothing is left of them', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    const fault = await faultFrom(engine.service.sync('shop', MANUAL));
    expect(fault).toMatchObject({ kind: 'config', code: 'run_active', run: id });
    expect(fault.hint).toContain(id);
    expect(await engine.service.runs('shop', { limit: 10 })).toHaveLength(1);
    await finish(home, engine, id);
    await expect(engine.service.sync('shop', MANUAL)).resolves.toMatchObject({ state: 'queued' });
  });

  it('of two integrations go on at the same time', async () => {
    await engine.service.create(document({ name: 'other' }));
    await engine.service.sync('shop', MANUAL);
    await expect(engine.service.sync('other', MANUAL)).resolves.toMatchObject({ integration: 'other' });
  });

  it('wait in the order in which they were asked for, one at a time', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 4; count++) {
      ids.push((await engine.service.sync('shop', count === 0 ? MANUAL : QUEUED)).id);
      await home.clock.advance(5);
    }
    expect((await engine.service.status('shop')).queued).toEqual(ids.slice(1));
    const order: string[] = [];
    home.hooks.discover = async () => {
      const running = await Promise.all(ids.map(async (id) => ({ id, state: await state(id) })));
      const active = running.filter((run) => run.state === 'running');
      expect(active).toHaveLength(1);
      order.push(active[0]?.id ?? '');
    };
    await stepAll();
    expect(order).toEqual(ids);
    expect(await Promise.all(ids.map(state))).toEqual(ids.map(() => 'succeeded'));
    expect((await engine.service.status('shop')).queued).toEqual([]);
  });

  it('are the same for the same idempotency key, before, while and after they run', async () => {
    const request = { ...MANUAL, idempotencyKey: 'order 66 / ä' };
    const [first, again] = await Promise.all([
      engine.service.sync('shop', request),
      engine.service.sync('shop', request),
    ]);
    expect(again.id).toBe(first.id);
    await finish(home, engine, first.id);
    expect((await engine.service.sync('shop', request)).id).toBe(first.id);
    expect(await engine.service.runs('shop', { limit: 10 })).toHaveLength(1);
    expect((await engine.service.sync('shop', { ...request, idempotencyKey: 'other' })).id).not.toBe(first.id);
  });

  it('forget an idempotency key after a day, and that of a refused request at once', async () => {
    const request = { ...MANUAL, idempotencyKey: 'again' };
    const { id } = await engine.service.sync('shop', MANUAL);
    expect((await faultFrom(engine.service.sync('shop', request))).code).toBe('run_active');
    expect(await home.state.query('idempotency')).toEqual([]);
    await finish(home, engine, id);
    const second = await engine.service.sync('shop', request);
    await finish(home, engine, second.id);
    await home.clock.advance(24 * 3600 * 1000);
    expect((await engine.service.sync('shop', request)).id).not.toBe(second.id);
  });

  it('that wait are cancelled at once, and the one that goes on is not touched', async () => {
    const first = await engine.service.sync('shop', MANUAL);
    await home.clock.advance(1);
    const second = await engine.service.sync('shop', QUEUED);
    expect(await engine.service.cancel(second.id)).toMatchObject({ state: 'cancelled', cancelRequested: true });
    expect((await engine.service.status('shop')).queued).toEqual([]);
    expect(await finish(home, engine, first.id)).toMatchObject({ state: 'succeeded' });
    expect(await state(second.id)).toBe('cancelled');
  });

  it('that go on are cancelled: the source is told, nothing half is published, the next one starts', async () => {
    await syncAll(home, engine);
    home.database.put('orders', 6, 'new');
    const run = await blocked();
    await home.clock.advance(1);
    const next = await engine.service.sync('shop', QUEUED);
    await engine.service.cancel(run.id);
    await run.working;
    expect(run.wasAborted()).toBe(true);
    home.hooks.scan = () => undefined;
    const ended = await finish(home, engine, run.id);
    expect(ended).toMatchObject({ state: 'cancelled', streams: [{ state: 'cancelled' }] });
    expect(home.visible('orders')).toBe(5);
    expect(await finish(home, engine, next.id)).toMatchObject({ state: 'succeeded' });
    expect(home.visible('orders')).toBe(6);
    expect(home.store.shadows()).toEqual([]);
  });

  it('are cancelled before anything was planned', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    await engine.service.cancel(id);
    expect(await finish(home, engine, id)).toMatchObject({ state: 'cancelled', rows: 0, streams: [] });
    expect(home.opened).toBe(0);
  });

  it('stay as they are when they are cancelled after their end', async () => {
    const { id } = await syncAll(home, engine);
    expect(await engine.service.cancel(id)).toMatchObject({ state: 'succeeded', cancelRequested: false });
    await stepAll();
    expect(await state(id)).toBe('succeeded');
  });

  it('are cancelled at once while they wait to try again', async () => {
    home.hooks.open = () => {
      throw faultOf('transient', 'busy', 3_600_000);
    };
    const { id } = await engine.service.sync('shop', MANUAL);
    await stepAll();
    await engine.service.cancel(id);
    await stepAll();
    expect(await state(id)).toBe('cancelled');
  });

  it('are waited for, and the waiter wakes at their end without a tick of the clock', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    const waiting = [engine.service.wait(id, NEVER), engine.service.wait(id, NEVER)];
    await setImmediate();
    const ended = jest.fn();
    for (const one of waiting) void one.then(ended);
    await stepAll();
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(ended).toHaveBeenCalledTimes(2);
    expect(await waiting[0]).toMatchObject({ id, state: 'succeeded', rows: 5 });
  });

  it('are waited for by one although another gave up waiting', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    const impatient = new AbortController();
    const gone = engine.service.wait(id, impatient.signal);
    const waiting = engine.service.wait(id, NEVER);
    const ended = jest.fn();
    void waiting.then(ended);
    await setImmediate();
    impatient.abort();
    expect(await gone).toMatchObject({ state: 'queued' });
    await stepAll();
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it('that are cancelled while they wait wake their waiters at once', async () => {
    await engine.service.sync('shop', MANUAL);
    await home.clock.advance(1);
    const { id } = await engine.service.sync('shop', QUEUED);
    const ended = jest.fn();
    void engine.service.wait(id, NEVER).then(ended);
    await setImmediate();
    await engine.service.cancel(id);
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it('are waited for only as long as asked', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    expect(await engine.service.wait(id, AbortSignal.abort())).toMatchObject({ state: 'queued' });
  });

  it.each(['nobody', 'shop-20260101-000000000-000000', ''])('%p is no run', async (id) => {
    for (const ask of [engine.service.run(id), engine.service.cancel(id), engine.service.wait(id, NEVER)]) {
      expect(await faultFrom(ask)).toMatchObject({ kind: 'config', code: 'not_found' });
    }
  });

  it('are listed newest first, page by page', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) {
      ids.unshift((await syncAll(home, engine)).id);
      await home.clock.advance(1000);
    }
    const page = async (after?: string) =>
      (await engine.service.runs('shop', { limit: 2, ...(after && { after }) })).map((run) => run.id);
    expect(await page()).toEqual(ids.slice(0, 2));
    expect(await page(ids[1])).toEqual(ids.slice(2, 4));
    expect(await page(ids[3])).toEqual(ids.slice(4));
    expect(await page(ids[4])).toEqual([]);
  });

  it('keep the document with which they were asked for', async () => {
    const { id } = await engine.service.sync('shop', MANUAL);
    await engine.service.update('shop', document({ streams: { orders: { enabled: false } } }), undefined);
    expect(await finish(home, engine, id)).toMatchObject({ state: 'succeeded', rows: 5 });
    expect(await syncAll(home, engine)).toMatchObject({ state: 'failed', fault: { code: 'no_streams' } });
  });

  it('go on after the worker was stopped, with the rest alone', async () => {
    const stop = new AbortController();
    home.hooks.scan = (_request, batch) => {
      if (batch === 1) stop.abort();
    };
    const { id } = await engine.service.sync('shop', MANUAL);
    await engine.step(0, stop.signal);
    expect(await state(id)).toBe('running');
    home.hooks.scan = () => undefined;
    expect(await finish(home, engine, id)).toMatchObject({ state: 'succeeded', rows: 5 });
    expect(home.visible('orders')).toBe(5);
  });

  it('of a working process start by themselves, and all is closed when it ends', async () => {
    const stop = new AbortController();
    const working = engine.work(2, stop.signal);
    const { id } = await engine.service.sync('shop', MANUAL);
    expect(await engine.service.wait(id, NEVER)).toMatchObject({ state: 'succeeded' });
    stop.abort();
    await working;
    expect(home.closed).toBe(home.opened);
  });

  it('go on when the queue fails a worker for a moment', async () => {
    const receive = home.queue.receive.bind(home.queue);
    let failures = 0;
    home.queue.receive = async (request) => {
      if (failures++ < 2) throw faultOf('transient', 'throttled');
      return receive(request);
    };
    const stop = new AbortController();
    const working = engine.work(1, stop.signal);
    const { id } = await engine.service.sync('shop', MANUAL);
    for (let seconds = 0; seconds < 5; seconds++) await home.clock.advance(1000);
    expect(await state(id)).toBe('succeeded');
    expect(failures).toBeLessThan(20);
    stop.abort();
    await working;
  });

  it('are forgotten after 30 days, with all that belongs to them', async () => {
    const { id } = await syncAll(home, engine);
    const day = 24 * 3600 * 1000;
    await home.clock.advance(29 * day);
    await expect(engine.service.run(id)).resolves.toMatchObject({ streams: [{ stream: 'orders' }] });
    await home.clock.advance(2 * day);
    expect(await engine.service.runs('shop', { limit: 5 })).toEqual([]);
  });

  it('leave nothing in the state that stays for ever', async () => {
    const lasting = /^(integrations|fences\/|active|loads\/|schemas\/)/;
    const stop = new AbortController();
    home.hooks.partitions = () => {
      stop.abort();
      return Promise.reject(new Error('stopped'));
    };
    const { id } = await engine.service.sync('shop', MANUAL);
    await engine.step(0, stop.signal);
    delete home.hooks.partitions;
    expect(home.state.everlasting().filter((key) => !lasting.test(key))).toEqual([]);
    await finish(home, engine, id);
    expect(home.state.everlasting().filter((key) => !lasting.test(key))).toEqual([]);
  });
});
