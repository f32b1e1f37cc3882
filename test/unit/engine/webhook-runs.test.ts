import { setImmediate } from 'node:timers/promises';
import type { WebhookRun } from '../../../lib/core/service';
import { document, faultFrom, faultOf, finish, gate, NEVER, QUEUED } from './home';
import { INCREMENTAL, section, WebhookHome } from './webhook-home';

const COUNT = 200;

let world: WebhookHome;

beforeEach(() => {
  world = new WebhookHome();
});

describe('a call while a run goes on', () => {
  it('has what changed after the read synced by one more run', async () => {
    await world.make();
    const { id, end } = await world.reading();
    world.home.fill('orders', 2, 4);
    const begun = await world.call();
    expect(begun).toMatchObject({ state: 'queued', joined: false });
    expect(begun.run).not.toBe(id);
    await end();
    await finish(world.home, world.engine, begun.run);
    expect(world.home.visible('orders')).toBe(5);
  });

  it('joins the run that waits, however many come', async () => {
    await world.make();
    const { end } = await world.reading();
    const first = await world.call();
    const more = await Promise.all(Array.from({ length: COUNT }, () => world.call()));
    expect(new Set(more.map((one) => one.run))).toEqual(new Set([first.run]));
    expect(more.every((one) => one.joined)).toBe(true);
    expect(await world.runs()).toHaveLength(2);
    await end();
    await world.stepAll();
    expect((await world.runs()).map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  });

  it('joins one that was queued by somebody else, if it reads as much by the same document', async () => {
    await world.make();
    const { end } = await world.reading();
    const { id } = await world.engine.service.sync('shop', { ...QUEUED, type: 'full' });
    expect(await world.call()).toMatchObject({ run: id, joined: true });
    await end();
  });

  it('does not join one that reads less, or by an older document', async () => {
    await world.make({ sync_strategy: { type: 'full' } });
    const { end } = await world.reading();
    const { id: less } = await world.engine.service.sync('shop', { ...QUEUED, type: 'incremental' });
    const own = await world.call();
    expect([own.joined, own.run === less]).toEqual([false, false]);
    await world.engine.service.update('shop', document({ ...INCREMENTAL, ...section() }), undefined);
    const newer = await world.call();
    expect([newer.joined, newer.run === own.run]).toEqual([false, false]);
    expect(await world.call()).toMatchObject({ run: newer.run, joined: true });
    await end();
  });

  it('does not join one that the workers may have begun', async () => {
    await world.make();
    const first = await world.call();
    const second = await world.call();
    expect(await world.stateOf(first)).toBe('queued');
    expect([second.joined, second.run === first.run]).toEqual([false, false]);
    await world.stepAll();
    expect(await world.stateOf(second)).toBe('succeeded');
  });

  it('does not join one that was cancelled', async () => {
    await world.make();
    const { end } = await world.reading();
    const first = await world.call();
    await world.engine.service.cancel(first.run);
    const second = await world.call();
    expect([second.joined, second.run === first.run]).toEqual([false, false]);
    await end();
    await world.stepAll();
    expect(await world.stateOf(second)).toBe('succeeded');
  });

  it('does not join one that is just being cancelled', async () => {
    await world.make();
    const { end } = await world.reading();
    const first = await world.call();
    const { state } = world.home;
    const remove = state.delete.bind(state);
    const calls: Promise<WebhookRun>[] = [];
    state.delete = async (key, expected) => {
      if (key.partition === 'queued/shop' && calls.length === 0) {
        calls.push(world.call());
        await calls[0];
      }
      return remove(key, expected);
    };
    await world.engine.service.cancel(first.run);
    const second = await calls[0];
    expect([second?.joined, second?.run === first.run]).toEqual([false, false]);
    await end();
    await world.stepAll();
  });

  it('does not join one that has failed', async () => {
    await world.make();
    const first = await world.call();
    world.home.hooks.open = () => {
      throw faultOf('config');
    };
    await world.stepAll();
    expect(await world.stateOf(first)).toBe('failed');
    expect(await world.call()).toMatchObject({ joined: false });
  });
});

describe('a call that comes as the waiting run is promoted', () => {
  /** Does `work` around the first look of a call at `partition`; gives what the call led to. */
  async function callAround(partition: string, when: 'before' | 'after', work: () => Promise<unknown>) {
    const { state } = world.home;
    const [get, query] = [state.get.bind(state), state.query.bind(state)];
    let done = false;
    const around = async <T>(seen: string, look: () => Promise<T>): Promise<T> => {
      if (done || seen !== partition) return look();
      done = true;
      if (when === 'before') await work();
      const found = await look();
      if (when === 'after') await work();
      return found;
    };
    state.get = (key) => around(key.partition, () => get(key));
    state.query = (name, options) => around(name, () => query(name, options));
    const result = await world.call();
    expect(done).toBe(true);
    return result;
  }

  // Each place at which the call looks: what waits, which is active, how the runs stand.
  it.each([
    ['queued/shop', 'before'],
    ['queued/shop', 'after'],
    ['active', 'before'],
    ['active', 'after'],
    ['runs/shop', 'before'],
    ['runs/shop', 'after'],
  ] as const)('%s, %s it was read: no change is left behind', async (partition, when) => {
    await world.make();
    const { end } = await world.reading();
    await world.call();
    // The source changes, and then the call comes; meanwhile the waiting run begins, reads all and ends.
    world.home.fill('orders', 1, 4);
    let readBefore = 0;
    const result = await callAround(partition, when, async () => {
      await end();
      await world.stepAll();
      readBefore = world.home.visible('orders');
    });
    await world.stepAll();
    expect(['queued', 'running']).not.toContain(await world.stateOf(result));
    // What the waiting run has read in the middle of the call holds the change: it had been made before.
    expect(readBefore).toBe(4);
    expect(world.home.visible('orders')).toBe(4);
  });

  it.each([
    ['queued/shop', 'after'],
    ['active', 'before'],
  ] as const)('%s, %s it was read: a run that has read already is not joined', async (partition, when) => {
    await world.make();
    const { end } = await world.reading();
    const waiting = await world.call();
    const { promise: held, letGo } = gate();
    let working: Promise<boolean> | undefined;
    const result = await callAround(partition, when, async () => {
      await end();
      let hasRead = false;
      // The one that waited has read its last batch, and is not done.
      world.home.hooks.write = async () => {
        hasRead = true;
        await held;
      };
      world.home.fill('orders', 1, 4);
      working = world.engine.step(0, NEVER);
      while (!hasRead) await setImmediate();
      world.home.fill('orders', 1, 5);
    });
    expect([result.joined, result.run === waiting.run]).toEqual([false, false]);
    letGo();
    await working;
    await world.stepAll();
    expect(world.home.visible('orders')).toBe(5);
  });
});

describe('calls that come at the same time', () => {
  it('while nothing goes on start one run and queue one at most', async () => {
    await world.make();
    const all = await Promise.all(Array.from({ length: COUNT }, () => world.call()));
    expect((await world.runs()).length).toBeLessThanOrEqual(2);
    await world.stepAll();
    for (const one of all) expect(await world.stateOf(one)).toBe('succeeded');
  });

  it('while a run goes on queue one', async () => {
    await world.make();
    const { end } = await world.reading();
    const all = await Promise.all(Array.from({ length: COUNT }, () => world.call()));
    expect(all.filter((one) => !one.joined)).toHaveLength(1);
    expect(await world.runs()).toHaveLength(2);
    await end();
  });

  it('make the run together that one of them has announced, and is slow to store', async () => {
    await world.make();
    const { end } = await world.reading();
    const { promise: slow, letGo } = gate();
    let isFirst = true;
    world.home.state.beforePut = async ({ partition }) => {
      if (partition !== 'runs/shop' || !isFirst) return;
      isFirst = false;
      await slow;
    };
    const first = world.call();
    for (let turn = 0; turn < 50 && isFirst; turn++) await setImmediate();
    const others = [await world.call(), await world.call()];
    letGo();
    expect(others).toEqual(others.map(() => ({ ...others[0], joined: true })));
    expect((await first).run).toBe(others[0]?.run);
    expect(await world.runs()).toHaveLength(2);
    await end();
    await world.stepAll();
    expect((await world.runs()).map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  });

  it('lose nothing when the process dies that announced the run', async () => {
    await world.make();
    const { end } = await world.reading();
    world.home.state.beforePut = ({ partition }) => {
      if (partition === 'runs/shop') throw faultOf('transient', 'died');
    };
    expect((await faultFrom(world.call())).code).toBe('died');
    world.home.state.beforePut = () => undefined;
    const next = await world.call();
    await end();
    await world.stepAll();
    expect(await world.stateOf(next)).toBe('succeeded');
    expect(await world.runs()).toHaveLength(2);
  });

  it('lose nothing when the process dies before the run is in the queue', async () => {
    await world.make();
    const { end } = await world.reading();
    world.home.state.beforePut = ({ partition }) => {
      if (partition === 'queued/shop') throw faultOf('transient', 'died');
    };
    expect((await faultFrom(world.call())).code).toBe('died');
    world.home.state.beforePut = () => undefined;
    expect(await world.call()).toMatchObject({ joined: true });
    await end();
    await world.stepAll();
    expect((await world.runs()).map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  });

  it('do not take up what was announced for an integration of that name that is gone', async () => {
    await world.make();
    world.home.state.beforePut = ({ partition }) => {
      if (partition === 'runs/shop') throw faultOf('transient', 'died');
    };
    await faultFrom(world.call());
    world.home.state.beforePut = () => undefined;
    await world.engine.service.remove('shop', { data: false });
    await world.home.clock.advance(10);
    await world.make();
    const begun = await world.call();
    expect(begun).toMatchObject({ joined: false });
    expect(begun.run).toContain('-20260101-000000010-');
  });
});
