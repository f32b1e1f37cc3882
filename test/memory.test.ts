import { describeQueue } from './contracts/queue';
import { describeScheduler } from './contracts/scheduler';
import { describeSecrets } from './contracts/secrets';
import { describeStateStore } from './contracts/state';
import { ManualClock } from './memory/clock';
import { MemoryQueue } from './memory/queue';
import { memoryScheduler } from './memory/scheduler';
import { MemorySecrets } from './memory/secrets';
import { MemoryStateStore } from './memory/state';

const close = async (): Promise<void> => undefined;

describeStateStore('memory', async () => {
  const clock = new ManualClock();
  const store = new MemoryStateStore(clock);
  return { store, now: () => clock.now(), elapse: (ms) => clock.advance(ms), reopen: async () => store, close };
});

describeQueue('memory', async () => {
  const clock = new ManualClock();
  return {
    queue: new MemoryQueue(clock, { maxReceives: 3 }),
    maxReceives: 3,
    elapse: (ms) => clock.advance(ms),
    close,
  };
});

describeScheduler('memory', async () => ({ scheduler: memoryScheduler(new ManualClock()), close }));

describeSecrets('memory', async (values) => {
  const secrets = new MemorySecrets(values);
  return { secrets, change: async (name, value) => void secrets.values.set(name, value), close };
});

describe('manual clock', () => {
  it('wakes sleepers in order, each at its time', async () => {
    const clock = new ManualClock(0);
    const woken: [string, number][] = [];
    const sleep = async (name: string, ms: number) => {
      await clock.sleep(ms);
      woken.push([name, clock.now()]);
    };
    void sleep('late', 20);
    void sleep('early', 10).then(() => sleep('again', 5));
    await clock.advance(15);
    expect(woken).toEqual([
      ['early', 10],
      ['again', 15],
    ]);
    await clock.advance(100);
    expect(woken.at(-1)).toEqual(['late', 20]);
    expect([clock.now(), clock.sleeping]).toEqual([115, 0]);
  });

  it('ends a sleep when its signal aborts', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleep = clock.sleep(1000, controller.signal);
    controller.abort();
    await sleep;
    expect(clock.sleeping).toBe(0);
  });
});
