import { setImmediate } from 'node:timers/promises';
import { document, finish, Home, MANUAL, NEVER } from './home';

const LEASE_MS = 60_000;

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await setImmediate();
};

describe('leases', () => {
  let home: Home;
  beforeEach(() => {
    home = new Home();
    home.fill('orders', 6);
  });

  const shared = (owner: string) => home.engine({ owner, exclusive: false, leaseMs: LEASE_MS });
  /** Messages that somebody else could receive now. They stay. */
  async function receivable(): Promise<number> {
    const found = await home.queue.receive({ max: 10, visibilityMs: 1, waitMs: 0, signal: NEVER });
    for (const { receipt } of found) await home.queue.release(receipt, 0);
    return found.length;
  }
  /** Holds the first scan at its second batch until it is let go; others pass. */
  function hold(): () => void {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let first = true;
    home.hooks.scan = async (_request, batch) => {
      if (batch !== 1 || !first) return;
      first = false;
      await held;
    };
    return () => letGo();
  }

  it('are renewed by the heartbeat, with the message, so that nobody else takes the slice', async () => {
    const letGo = hold();
    const engine = shared('one');
    await engine.service.create(document());
    const { id } = await engine.service.sync('shop', MANUAL);
    const working = engine.step(0, NEVER);
    await turns(30);
    // The lease's, and that of the transaction under way.
    expect(home.timers.size).toBe(2);
    for (let beats = 0; beats < 9; beats++) {
      await home.clock.advance(LEASE_MS / 3);
      await home.beat();
      expect(await receivable()).toBe(0);
    }
    letGo();
    await working;
    expect(home.timers.size).toBe(0);
    expect(await engine.service.run(id)).toMatchObject({ state: 'succeeded', rows: 6 });
  });

  it('hand a slice over when they have ended; the first holder can write nothing more', async () => {
    const letGo = hold();
    const one = shared('one');
    const two = shared('two');
    await one.service.create(document());
    const { id } = await one.service.sync('shop', MANUAL);
    const working = one.step(0, NEVER);
    await turns(30);
    await home.clock.advance(LEASE_MS);
    expect(await finish(home, two, id)).toMatchObject({ state: 'succeeded', rows: 6 });
    letGo();
    await working;
    expect(await two.service.run(id)).toMatchObject({ state: 'succeeded', rows: 6, streams: [{ slicesDone: 1 }] });
    expect(home.visible('orders')).toBe(6);
    expect(home.store.shadows()).toEqual([]);
  });

  it('fence off the increment of a holder whose lease has ended: what is newer stays', async () => {
    const one = shared('one');
    const two = shared('two');
    await one.service.create(document({ sync_strategy: { type: 'incremental', timestamp_field: 'changed' } }));
    await finish(home, one, (await one.service.sync('shop', MANUAL)).id);
    home.database.put('orders', 1, 'older');
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    home.hooks.write = () => held;
    const { id } = await one.service.sync('shop', MANUAL);
    const working = one.step(0, NEVER);
    await turns(60);
    delete home.hooks.write;
    home.database.put('orders', 1, 'newer');
    await home.clock.advance(LEASE_MS);
    expect(await finish(home, two, id)).toMatchObject({ state: 'succeeded' });
    expect(home.store.visible('shop', 'orders')[0]).toContain('1|newer');
    letGo();
    await working;
    expect(home.store.visible('shop', 'orders')[0]).toContain('1|newer');
    expect(await two.service.run(id)).toMatchObject({ state: 'succeeded' });
  });

  it('hand a slice over also when the message comes back before the lease has ended', async () => {
    hold();
    const one = shared('one');
    const two = shared('two');
    await one.service.create(document({ sync_strategy: { type: 'incremental', timestamp_field: 'changed' } }));
    home.hooks.discover = async () => home.clock.advance(5000);
    const { id } = await one.service.sync('shop', MANUAL);
    void one.step(0, NEVER);
    await turns(50);
    expect(home.scans).toBe(1);
    expect(await finish(home, two, id)).toMatchObject({ state: 'succeeded' });
    expect(home.visible('orders')).toBe(6);
  });

  it('of a process that was alone and died are ignored by the next one', async () => {
    hold();
    const before = home.engine({ owner: 'before' });
    await before.service.create(document());
    const { id } = await before.service.sync('shop', MANUAL);
    void before.step(0, NEVER);
    await turns(30);
    const after = home.engine({ owner: 'after' });
    await home.queue.resetVisibility();
    await after.recover();
    const begun = home.clock.now();
    expect(await finish(home, after, id)).toMatchObject({ state: 'succeeded' });
    expect(home.clock.now()).toBe(begun);
    expect(home.visible('orders')).toBe(6);
  });

  it('are noticed to be lost by the heartbeat, which stops the source', async () => {
    let stopped = false;
    const letGo = hold();
    const inner = home.hooks.scan;
    home.hooks.scan = (request, batch) => {
      request.signal.addEventListener('abort', () => {
        stopped = true;
      });
      return inner?.(request, batch);
    };
    const one = shared('one');
    await one.service.create(document());
    await one.service.sync('shop', MANUAL);
    const working = one.step(0, NEVER);
    await turns(30);
    await home.clock.advance(LEASE_MS);
    // Another process claims the slice, and is stopped at once by a lease of its own that stays.
    home.hooks.write = () => new Promise(() => undefined);
    void shared('two').step(0, NEVER);
    await turns(30);
    await home.beat();
    expect(stopped).toBe(true);
    letGo();
    delete home.hooks.write;
    await working;
  });

  it('let a cancellation from another process reach the source at the next heartbeat', async () => {
    let stopped = false;
    const letGo = hold();
    const inner = home.hooks.scan;
    home.hooks.scan = (request, batch) => {
      request.signal.addEventListener('abort', () => {
        stopped = true;
        letGo();
      });
      return inner?.(request, batch);
    };
    const one = shared('one');
    const two = shared('two');
    await one.service.create(document());
    const { id } = await one.service.sync('shop', MANUAL);
    const working = one.step(0, NEVER);
    await turns(30);
    await two.service.cancel(id);
    expect(stopped).toBe(false);
    await home.beat();
    await working;
    expect(stopped).toBe(true);
    expect(await finish(home, one, id)).toMatchObject({ state: 'cancelled' });
    expect(home.visible('orders')).toBe(0);
  });

  it('keep the message of a worker that does many short pieces of work', async () => {
    for (let stream = 0; stream < 12; stream++) home.fill(`s${String(stream).padStart(2, '0')}`, 1);
    const engine = shared('one');
    await engine.service.create(document({ sync_settings: { parallel: 1 } }));
    const seen: number[] = [];
    // One timer for the whole message, which beats every 20 s. Each piece takes 10 s.
    const timers: number[] = [];
    home.hooks.publish = async () => {
      await home.clock.advance(10_000);
      timers.push(home.timers.size);
      if (timers.length % 2 === 0) await home.beat();
      seen.push(await receivable());
    };
    await engine.service.sync('shop', MANUAL);
    await engine.step(0, NEVER);
    expect(seen).toHaveLength(13);
    expect(Math.max(...seen)).toBe(0);
    expect(new Set(timers)).toEqual(new Set([1]));
  });
});
