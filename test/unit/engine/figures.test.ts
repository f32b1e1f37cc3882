import { costOf } from '../../../lib/engine/cost';
import { backoffMs } from '../../../lib/engine/retry';
import { integrationOf, keys, runId, streamOf } from '../../../lib/engine/state';

describe('backoffMs', () => {
  it.each([
    [1, 500],
    [2, 1000],
    [5, 8000],
    [10, 256_000],
    [11, 300_000],
    [2000, 300_000],
  ])('waits at attempt %i between half of %i ms and all of it', (attempt, ceiling) => {
    expect(backoffMs(attempt, 0)).toBe(ceiling / 2);
    expect(backoffMs(attempt, 0.5)).toBe(ceiling * 0.75);
    expect(backoffMs(attempt, 1 - Number.EPSILON)).toBe(ceiling);
  });

  it('waits at least as long as the source asked for, also beyond its own longest wait', () => {
    expect(backoffMs(1, 0.5, 7000)).toBe(7000);
    expect(backoffMs(1, 0.5, 3_600_000)).toBe(3_600_000);
    expect(backoffMs(4, 1, 100)).toBe(4000);
  });
});

describe('costOf', () => {
  it('grows with seconds and slices, and says how it was made', () => {
    expect(costOf(0, 0).usd).toBe(0);
    expect(costOf(1000, 0).usd).toBeCloseTo(0.0133334, 7);
    expect(costOf(0, 1_000_000).usd).toBe(0.2);
    expect(costOf(60, 4).basis).toMatch(/estimate.*Lambda.*20\d\d-\d\d/);
  });

  it('has no more digits than it can stand for', () => expect(String(costOf(1 / 3, 1).usd).length).toBeLessThan(13));
});

describe('run ids', () => {
  const at = Date.UTC(2026, 10, 24, 9, 8, 7, 6);

  it('name integration and time', () => {
    expect(runId('shop', at, 0)).toBe('shop-20261124-090807006-000000');
    expect(runId('shop', at, 1 - Number.EPSILON)).toBe('shop-20261124-090807006-zzzzzz');
  });

  it('sort by time', () => {
    const times = [0, 1, 999, 1000, 59_999, 3.6e6, 8.64e7, 32 * 8.64e7, 400 * 8.64e7];
    const ids = times.map((time, index) => runId('shop', at + time, ((index * 7) % 10) / 10));
    expect([...ids].sort()).toEqual(ids);
  });

  it.each(['shop', 'a', 'my-shop', 'x-20261124-090807006-abcdef', 'a--b-', '2026'])('parse back to %s', (name) => {
    expect(integrationOf(runId(name, at, 0.42))).toBe(name);
  });

  it.each(['', 'shop', 'shop-20261124-090807006', '-20261124-090807006-abcdef', 'shop-2026-1-abcdef'])(
    'are not %p',
    (text) => expect(integrationOf(text)).toBe(''),
  );
});

describe('keys', () => {
  it.each(['orders', 'public.a b/c', 'ä"%2F', '🚀', '*'])('hold the stream %s so that it parses back', (stream) => {
    expect(streamOf(keys.open('r', stream).sort)).toBe(stream);
    expect(streamOf(keys.stream('r', stream).sort)).toBe(stream);
  });

  it('order slices by number, and keep streams of which one name begins with the other apart', () => {
    const sorts = [0, 2, 10, 100].map((index) => keys.slice('r', 'orders', 0, index).sort);
    expect([...sorts].sort()).toEqual(sorts);
    expect(keys.slice('r', 'orders/0', 0, 1).sort.startsWith(keys.slicePrefix('orders', 0))).toBe(false);
    expect(keys.slice('r', 'orders', 1, 0).sort.startsWith(keys.slicePrefix('orders', 0))).toBe(false);
  });
});
