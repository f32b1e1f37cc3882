import type { Json } from '../../lib/core/json';
import type { StateItem, StateStore } from '../../lib/core/ports';

/** One store to test. Partitions are the suite's own, so that a shared table can serve. */
export interface StateFixture {
  readonly store: StateStore;
  now(): number;
  /** Lets `ms` pass on the store's clock. */
  elapse(ms: number): Promise<void>;
  /** The same data through a new connection, where there is such a thing. */
  reopen(): Promise<StateStore>;
  close(): Promise<void>;
}

const sorts = (items: readonly StateItem[]) => items.map(({ sort }) => sort);

/** The sentences of the state port, as tests. */
export function describeStateStore(name: string, open: () => Promise<StateFixture>): void {
  describe(`state: ${name}`, () => {
    let fixture: StateFixture;
    let partition = '';
    let partitions = 0;
    const key = (sort: string) => ({ partition, sort });

    beforeAll(async () => {
      fixture = await open();
    });
    beforeEach(() => {
      partition = `state-contract-${++partitions}`;
    });
    afterAll(async () => fixture?.close());

    async function fill(all: readonly string[]): Promise<void> {
      for (const sort of all) await fixture.store.put(key(sort), sort, undefined);
    }

    describe('conditions', () => {
      it('gives nothing for what is not there', async () => {
        expect(await fixture.store.get(key('a'))).toBeUndefined();
      });

      it('gives back what was put, with its key and revision', async () => {
        const revision = await fixture.store.put(key('a'), { n: 1 }, undefined);
        expect(await fixture.store.get(key('a'))).toEqual({ partition, sort: 'a', revision, value: { n: 1 } });
      });

      it('gives a growing revision with each write', async () => {
        const revisions = [];
        for (const value of [1, 1, 2]) revisions.push((await fixture.store.put(key('a'), value, undefined)) ?? 0);
        expect(new Set(revisions).size).toBe(3);
        expect(revisions).toEqual([...revisions].sort((left, right) => left - right));
        expect(revisions.every((revision) => Number.isSafeInteger(revision) && revision > 0)).toBe(true);
      });

      it('writes under `absent` only when there is no such item', async () => {
        expect(await fixture.store.put(key('a'), 1, 'absent')).toBeGreaterThan(0);
        expect(await fixture.store.put(key('a'), 2, 'absent')).toBeUndefined();
        expect((await fixture.store.get(key('a')))?.value).toBe(1);
      });

      it('writes under a revision only when it is the stored one', async () => {
        const first = (await fixture.store.put(key('a'), 1, 'absent')) ?? 0;
        const second = await fixture.store.put(key('a'), 2, first);
        expect(second).toBeGreaterThan(first);
        expect(await fixture.store.put(key('a'), 3, first)).toBeUndefined();
        expect(await fixture.store.put(key('b'), 3, first)).toBeUndefined();
        expect(await fixture.store.get(key('b'))).toBeUndefined();
        expect((await fixture.store.get(key('a')))?.value).toBe(2);
      });

      it('removes under a revision only when it is the stored one', async () => {
        const first = (await fixture.store.put(key('a'), 1, 'absent')) ?? 0;
        const second = (await fixture.store.put(key('a'), 2, first)) ?? 0;
        expect(await fixture.store.delete(key('a'), first)).toBe(false);
        expect((await fixture.store.get(key('a')))?.value).toBe(2);
        expect(await fixture.store.delete(key('a'), second)).toBe(true);
        expect(await fixture.store.get(key('a'))).toBeUndefined();
        expect(await fixture.store.delete(key('a'), second)).toBe(false);
      });

      it('removes without condition, also what is not there', async () => {
        await fixture.store.put(key('a'), 1, undefined);
        expect(await fixture.store.delete(key('a'))).toBe(true);
        expect(await fixture.store.delete(key('a'))).toBe(true);
        expect(await fixture.store.get(key('a'))).toBeUndefined();
      });

      it('gives an item that is made again no revision that somebody may still hold', async () => {
        const held = (await fixture.store.put(key('a'), 'held', 'absent')) ?? 0;
        await fixture.store.delete(key('a'));
        await fixture.store.put(key('a'), 'new', 'absent');
        expect(await fixture.store.put(key('a'), 'stale', held)).toBeUndefined();
        expect(await fixture.store.delete(key('a'), held)).toBe(false);
        expect((await fixture.store.get(key('a')))?.value).toBe('new');
      });

      it('loses no update of 20 that happen at the same time', async () => {
        await fixture.store.put(key('count'), 0, 'absent');
        await Promise.all(Array.from({ length: 20 }, () => increment(fixture.store, key('count'))));
        expect((await fixture.store.get(key('count')))?.value).toBe(20);
      });

      it('lets one of 20 that create the same item win', async () => {
        const all = Array.from({ length: 20 }, (_, index) => fixture.store.put(key('one'), index, 'absent'));
        const won = (await Promise.all(all)).flatMap((revision, index) => (revision === undefined ? [] : [index]));
        expect(won).toHaveLength(1);
        expect((await fixture.store.get(key('one')))?.value).toBe(won[0]);
      });
    });

    describe('values', () => {
      const values: readonly Json[] = [
        null,
        true,
        '',
        0,
        -1.5e-300,
        9_007_199_254_740_991,
        'NUL \u0000, half a pair \ud800, 日本語, 🚀, "quotes" and \\',
        [],
        {},
        [1, [2, { '': null }]],
        { 'key with "quotes"': { deep: [null, false] }, __proto__x: 1 },
      ];

      it('come back equal, also through a new connection', async () => {
        for (const [index, value] of values.entries()) await fixture.store.put(key(`v${index}`), value, undefined);
        const reopened = await fixture.reopen();
        for (const [index, value] of values.entries()) {
          expect((await fixture.store.get(key(`v${index}`)))?.value).toEqual(value);
          expect((await reopened.get(key(`v${index}`)))?.value).toEqual(value);
        }
      });

      it('are not tied to the object that was put', async () => {
        const value = { list: [1] };
        await fixture.store.put(key('a'), value, undefined);
        value.list.push(2);
        expect((await fixture.store.get(key('a')))?.value).toEqual({ list: [1] });
      });

      it('may have 300 KiB of JSON and not a byte more', async () => {
        const largest = 300 * 1024 - 2;
        await fixture.store.put(key('a'), 'x'.repeat(largest), undefined);
        expect((await fixture.store.get(key('a')))?.value).toHaveLength(largest);
        await expect(fixture.store.put(key('a'), 'é'.repeat(largest / 2 + 1), undefined)).rejects.toMatchObject({
          kind: 'bug',
          code: 'too_large',
        });
      });

      it.each(['', 'with\0NUL', '\ud800', 'x'.repeat(1025)])('are refused under the key %j', async (sort) => {
        await expect(fixture.store.put(key(sort), 1, undefined)).rejects.toMatchObject({
          kind: 'bug',
          code: 'invalid_key',
        });
      });
    });

    describe('listing', () => {
      it('gives one partition in the order of the bytes of UTF-8', async () => {
        const order = ['A', 'Z', 'a', 'a/', 'a/1', 'a/10', 'a/2', 'aa', 'é', '日', '\uffee', '🚀'];
        await fill([...order].reverse());
        await fixture.store.put({ partition: `${partition}x`, sort: 'a' }, 'other', undefined);
        const items = await fixture.store.query(partition);
        expect(sorts(items)).toEqual(order);
        expect(items.map(({ value }) => value)).toEqual(order);
        expect(items[0]).toEqual(await fixture.store.get(key('A')));
        expect(sorts(await fixture.store.query(partition, { reverse: true }))).toEqual([...order].reverse());
      });

      it('gives nothing for an unknown partition', async () => {
        expect(await fixture.store.query(partition)).toEqual([]);
      });

      it.each([
        ['run/', ['run/1', 'run/2', 'run/é']],
        ['run', ['run', 'run/1', 'run/2', 'run/é', 'run0']],
        ['RUN/', []],
        ['%', ['%x']],
        ['_', []],
        ['\ud7ff', ['\ud7ff', '\ud7ff\u{10ffff}']],
        ['🚀', ['🚀', '🚀🚀']],
        ['\u{10ffff}', ['\u{10ffff}', '\u{10ffff}a']],
      ])('by the prefix %j', async (prefix, expected) => {
        await fill([
          'run',
          'run/1',
          'run/2',
          'run/é',
          'run0',
          'ruo',
          '%x',
          'x',
          '\ud7ff',
          '\ud7ff\u{10ffff}',
          '\ue000',
        ]);
        await fill(['🚀', '🚀🚀', '🚁', '\u{10ffff}', '\u{10ffff}a']);
        expect(sorts(await fixture.store.query(partition, { prefix }))).toEqual(expected);
        expect(sorts(await fixture.store.query(partition, { prefix, reverse: true }))).toEqual([...expected].reverse());
      });

      it('goes on after a sort, which need not be there', async () => {
        await fill(['a', 'b', 'c', 'd']);
        expect(sorts(await fixture.store.query(partition, { after: 'b' }))).toEqual(['c', 'd']);
        expect(sorts(await fixture.store.query(partition, { after: 'bb', limit: 1 }))).toEqual(['c']);
        expect(sorts(await fixture.store.query(partition, { after: 'c', reverse: true }))).toEqual(['b', 'a']);
        expect(sorts(await fixture.store.query(partition, { after: 'd' }))).toEqual([]);
        expect(sorts(await fixture.store.query(partition, { after: 'a', prefix: 'b' }))).toEqual(['b']);
        expect(sorts(await fixture.store.query(partition, { after: 'x', prefix: 'b' }))).toEqual([]);
        expect(sorts(await fixture.store.query(partition, { limit: 2, reverse: true }))).toEqual(['d', 'c']);
      });

      it('gives 10,000 items whole, and in pages', async () => {
        const all = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(5, '0'));
        await inGroups(all, 25, (sort) => fixture.store.put(key(sort), { sort }, undefined));
        expect(sorts(await fixture.store.query(partition))).toEqual(all);
        const paged: string[] = [];
        for (let after = ''; ; after = paged.at(-1) ?? '') {
          const page = await fixture.store.query(partition, { limit: 3000, ...(after && { after }) });
          paged.push(...sorts(page));
          if (page.length < 3000) break;
        }
        expect(paged).toEqual(all);
      }, 300_000);
    });

    describe('expiry', () => {
      it('hides an item from then on, everywhere', async () => {
        const revision = await fixture.store.put(key('a'), 1, undefined, fixture.now() + 2000);
        await fixture.store.put(key('b'), 2, undefined);
        expect((await fixture.store.get(key('a')))?.value).toBe(1);
        await fixture.elapse(2000);
        expect(await fixture.store.get(key('a'))).toBeUndefined();
        expect(sorts(await fixture.store.query(partition))).toEqual(['b']);
        expect(await fixture.store.put(key('a'), 3, revision)).toBeUndefined();
        expect(await fixture.store.delete(key('a'), revision)).toBe(false);
        expect(await fixture.store.put(key('a'), 4, 'absent')).toBeGreaterThan(revision ?? 0);
        expect((await fixture.store.get(key('a')))?.value).toBe(4);
      });

      it('ends with a write that gives none', async () => {
        await fixture.store.put(key('a'), 1, undefined, fixture.now() + 1000);
        await fixture.store.put(key('a'), 2, undefined);
        await fixture.elapse(1000);
        expect((await fixture.store.get(key('a')))?.value).toBe(2);
      });
    });
  });
}

async function increment(store: StateStore, key: { partition: string; sort: string }): Promise<void> {
  for (;;) {
    const item = await store.get(key);
    if (item === undefined) throw new Error('the counter is gone');
    if ((await store.put(key, (item.value as number) + 1, item.revision)) !== undefined) return;
  }
}

async function inGroups<T>(all: readonly T[], size: number, work: (one: T) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < all.length; start += size) await Promise.all(all.slice(start, start + size).map(work));
}
