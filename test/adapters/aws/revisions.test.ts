import { Revisions } from '../../../lib/adapters/aws/revisions';
import { ManualClock } from '../../memory/clock';

describe('revisions', () => {
  it('grow while the clock stands still, and when it goes back', () => {
    let now = 1_767_225_600_000;
    const revisions = new Revisions({ now: () => now, sleep: () => Promise.resolve() });
    const given: number[] = [];
    for (let n = 0; n < 3000; n++) {
      if (n === 1500) now -= 3600_000;
      given.push(revisions.fresh());
    }
    expect(given).toEqual([...new Set(given)].sort((left, right) => left - right));
  });

  it('are the clock in microseconds, and exact numbers for the next two centuries', () => {
    const clock = new ManualClock(Date.UTC(2226, 0, 1));
    const revision = new Revisions(clock).fresh();
    expect(Math.floor(revision / 1000)).toBe(clock.now());
    expect(Number.isSafeInteger(revision)).toBe(true);
  });

  it('are above what was read', () => {
    const revisions = new Revisions(new ManualClock());
    const read = revisions.fresh() + 5_000_000;
    revisions.seen(read);
    expect(revisions.fresh()).toBe(read + 1);
  });

  it('of two processes whose clocks show the same differ', () => {
    const first = Array.from({ length: 8 }, () => new Revisions(new ManualClock()).fresh());
    const second = Array.from({ length: 8 }, () => new Revisions(new ManualClock()).fresh());
    expect(first).not.toEqual(second);
  });
});
