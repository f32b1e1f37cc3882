import { create, json, list, read, update } from '../../../lib/engine/records';
import { ManualClock } from '../../memory/clock';
import { faultFrom } from './home';
import { ObservedState } from './observed-state';

const key = { partition: 'p', sort: 's' };

describe('records', () => {
  const state = () => new ObservedState(new ManualClock());

  it('creates once', async () => {
    const store = state();
    expect(await create(store, key, { a: 1 })).toBe(true);
    expect(await create(store, key, { a: 2 })).toBe(false);
    expect((await read<object>(store, key))?.value).toEqual({ a: 1 });
  });

  it('loses no update of many at once', async () => {
    const store = state();
    const add = () => update<number>(store, key, (current = 0) => current + 1);
    await Promise.all(Array.from({ length: 40 }, add));
    expect((await read<number>(store, key))?.value).toBe(40);
  });

  it('asks again with what somebody else has written in between', async () => {
    const store = state();
    await store.put(key, 1, undefined);
    let once = true;
    store.beforePut = async () => {
      if (!once) return;
      once = false;
      await store.put(key, 10, undefined);
    };
    const seen: (number | undefined)[] = [];
    const result = await update<number>(store, key, (current) => {
      seen.push(current);
      return (current ?? 0) + 1;
    });
    expect(seen).toEqual([1, 10]);
    expect(result).toEqual({ value: 11, changed: true });
  });

  it('leaves a value alone when nothing is to be changed, and gives it', async () => {
    const store = state();
    await store.put(key, 5, undefined);
    expect(await update<number>(store, key, () => undefined)).toEqual({ value: 5, changed: false });
    expect((await read(store, { ...key, sort: 'other' }))?.value).toBeUndefined();
  });

  it('gives up with a transient fault when it is never its turn', async () => {
    const store = state();
    store.beforePut = async () => {
      const { beforePut } = store;
      store.beforePut = () => undefined;
      await store.put(key, Math.random(), undefined);
      store.beforePut = beforePut;
    };
    expect(await faultFrom(update<number>(store, key, () => 0))).toMatchObject({
      kind: 'transient',
      code: 'state_contention',
    });
  });

  it('lists in order, and passes the expiry on', async () => {
    const clock = new ManualClock();
    const store = new ObservedState(clock);
    await create(store, { partition: 'p', sort: 'b' }, 2, clock.now() + 10);
    await create(store, { partition: 'p', sort: 'a' }, 1);
    await update<number>(store, { partition: 'p', sort: 'a' }, () => 3, clock.now() + 20);
    expect((await list<number>(store, 'p')).map((item) => item.value)).toEqual([3, 2]);
    await clock.advance(10);
    expect((await list<number>(store, 'p')).map((item) => item.value)).toEqual([3]);
    await clock.advance(10);
    expect(await list<number>(store, 'p')).toEqual([]);
  });

  it('drops members without a value', () => expect(json({ a: undefined, b: [1] })).toEqual({ b: [1] }));
});
