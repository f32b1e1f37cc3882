import { document, faultOf, finish, MANUAL } from './home';
import { INCREMENTAL, section, WebhookHome } from './webhook-home';

let world: WebhookHome;

beforeEach(() => {
  world = new WebhookHome();
});

describe('retry_policy', () => {
  /** Fails as often as asked while the source is opened or read; gives the pauses between the attempts in seconds. */
  async function pausesOf(backoff: string, attempts: number, where: 'open' | 'scan', trigger: 'webhook' | 'manual') {
    await world.make(section({ retry_policy: { max_attempts: attempts, backoff } }));
    const times: number[] = [];
    world.home.hooks[where] = () => {
      times.push(world.home.clock.now());
      throw faultOf('transient');
    };
    const id = trigger === 'webhook' ? (await world.call())?.run : (await world.engine.service.sync('shop', MANUAL)).id;
    const run = await finish(world.home, world.engine, id ?? '', 1, 3600);
    return { run, pauses: times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1000) };
  }

  const cases = (['open', 'scan'] as const).flatMap((where) =>
    [
      ['exponential', [5, 10, 20, 40]],
      ['linear', [5, 10, 15, 20]],
      ['constant', [5, 5, 5, 5]],
    ].map(([backoff, pauses]) => [where, String(backoff), pauses as number[]] as const),
  );
  it.each(cases)('of a fault at %s: %s, at most so many attempts', async (where, backoff, expected) => {
    const { run, pauses } = await pausesOf(backoff, 5, where, 'webhook');
    expect(run).toMatchObject({ state: 'failed', fault: { kind: 'transient' } });
    expect(pauses).toHaveLength(expected.length);
    // Up to a tenth shorter, and noticed within a second or two.
    for (const [index, pause] of pauses.entries()) {
      const wanted = expected[index] ?? 0;
      expect(pause).toBeGreaterThanOrEqual(wanted * 0.9);
      expect(pause).toBeLessThanOrEqual(wanted + 2);
    }
  });

  it('of one attempt tries once', async () => {
    expect((await pausesOf('constant', 1, 'open', 'webhook')).pauses).toEqual([]);
  });

  it('is not that of runs which somebody else has started, nor is there one without it', async () => {
    const { pauses } = await pausesOf('constant', 3, 'open', 'manual');
    expect(pauses).toHaveLength(7);
    await world.engine.service.update('shop', document({ ...INCREMENTAL, ...section() }), undefined);
    const times: number[] = [];
    world.home.hooks.open = () => {
      times.push(world.home.clock.now());
      throw faultOf('transient');
    };
    await finish(world.home, world.engine, (await world.call()).run);
    expect(times).toHaveLength(8);
  });

  it('waits as long as the source asks for, and never longer than five minutes by itself', async () => {
    await world.make(section({ retry_policy: { max_attempts: 12, backoff: 'exponential' } }));
    const times: number[] = [];
    world.home.hooks.open = () => {
      times.push(world.home.clock.now());
      throw faultOf('transient', 'busy', times.length === 1 ? 60_000 : undefined);
    };
    await finish(world.home, world.engine, (await world.call()).run, 1, 36_000);
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(pauses[0]).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(302_000);
    expect(times).toHaveLength(12);
  });

  it('does not try again what does not pass', async () => {
    await world.make(section({ retry_policy: { max_attempts: 5, backoff: 'constant' } }));
    let count = 0;
    world.home.hooks.open = () => {
      count++;
      throw faultOf('config');
    };
    expect(await finish(world.home, world.engine, (await world.call()).run)).toMatchObject({ state: 'failed' });
    expect(count).toBe(1);
  });
});
