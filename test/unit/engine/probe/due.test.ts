import { dueProbes, nextProbeAt } from '../../../../lib/engine/probe/due';

const NOW = 1_000_000;

describe('nextProbeAt', () => {
  it.each([
    ['at once where there was none', { changedAt: 5000 }, 5000],
    ['an interval after the last one began', { changedAt: 5000, lastAt: 900_000 }, 930_000],
    ['at once where the document was changed since', { changedAt: 910_000, lastAt: 900_000 }, 910_000],
    ['now where the clock was put back', { changedAt: 5000, lastAt: NOW + 3_600_000 }, 5000],
    ['now where that was before the first one', { changedAt: NOW + 3_600_000 }, NOW],
  ])('is %s', (_what, times, expected) => {
    expect(nextProbeAt({ intervalMs: 30_000, ...times }, NOW)).toBe(expected);
  });
});

describe('dueProbes', () => {
  const at = (id: string, lastAt: number, intervalMs = 30_000) => ({ id, lastAt, intervalMs, changedAt: 0 });
  const idsOf = (due: readonly { readonly id: string }[]) => due.map(({ id }) => id);

  it('gives the longest overdue first, and when the next of the others is', () => {
    const all = [at('just', NOW - 30_000), at('later', NOW - 10_000), at('over', NOW - 90_000), at('last', NOW)];
    const { due, nextAt } = dueProbes(all, NOW);
    expect(idsOf(due)).toEqual(['over', 'just']);
    expect(nextAt).toBe(NOW + 20_000);
  });

  it('gives what would be due soon to a home that looks rarely', () => {
    const all = [at('nearer to now', NOW - 20_000), at('nearer to the next look', NOW - 10_000)];
    expect(idsOf(dueProbes(all, NOW, 15_000).due)).toEqual(['nearer to now']);
  });

  it.each([
    [0, 1],
    [30, 1],
    // Looks of Lambda begin a little early or late.
    [-2, 1],
    [150, 1],
    [-151, 0],
  ])('tests once a look where interval and looks are alike, a look being %i s late', (late, expected) => {
    const all = [at('shop', NOW, 300_000)];
    expect(dueProbes(all, NOW + 300_000 + late * 1000, 150_000).due).toHaveLength(expected);
  });

  it('has nothing to tell of nobody', () => {
    expect(dueProbes([], NOW)).toEqual({ due: [], nextAt: Number.POSITIVE_INFINITY });
  });
});
