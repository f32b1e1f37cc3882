import { systemClock } from '../../../lib/core/system-clock';

describe('system clock', () => {
  it('tells the time', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  });

  it('sleeps no less than asked', async () => {
    const start = performance.now();
    await systemClock.sleep(30);
    expect(performance.now() - start).toBeGreaterThanOrEqual(30);
  });

  it.each([60_000, 2 ** 31 + 5, Number.POSITIVE_INFINITY])('sleeps for %d ms until its signal aborts', async (ms) => {
    const controller = new AbortController();
    let awake = false;
    const sleep = systemClock.sleep(ms, controller.signal).then(() => {
      awake = true;
    });
    await systemClock.sleep(20);
    expect(awake).toBe(false);
    controller.abort();
    await sleep;
    await systemClock.sleep(60_000, controller.signal);
  });
});
