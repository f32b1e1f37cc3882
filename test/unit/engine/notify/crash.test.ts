import type { Notification } from '../../../../lib/core/notification';
import type { StateStore } from '../../../../lib/core/ports';
import { MemoryStateStore } from '../../../memory/state';
import { MortalState } from './mortal-state';
import { notification, type RecordingNotifier, World } from './world';

const NEVER = new AbortController().signal;

/** Four times: tell of three, look, let time go by. What was told is told again by who did not see it succeed. */
async function live(world: World, owner: string, state: StateStore, told: Notification[][]): Promise<void> {
  const process = world.process(owner, {}, state);
  while (told.length > 0) {
    for (const one of told[0] ?? []) await process.notify(one);
    told.shift();
    await world.pass(process, 65_000);
  }
  await world.pass(process, 3_600_000);
}

function workload(): Notification[][] {
  return Array.from({ length: 4 }, (_, round) => [
    notification({ id: `${round}/a` }),
    notification({ id: `${round}/b` }),
    notification({ id: `${round}/c`, integration: `other${round}`, kind: round % 2 === 0 ? 'alert' : 'resolved' }),
  ]);
}

async function runUntil(diesAt: number, after: boolean) {
  const world = new World();
  const inner = new MemoryStateStore(world.clock);
  const mortal = new MortalState(inner, diesAt, after);
  const told = workload();
  const died = await live(world, 'one', mortal, told).then(
    () => false,
    () => true,
  );
  // The next process has a name of its own, and waits for the lease.
  if (died) {
    await world.clock.advance(5000);
    await live(world, 'two', inner, told);
  }
  return { world, died, writes: mortal.writes };
}

describe('notifications, when the process dies', () => {
  it.each([false, true])(
    'loses none and repeats no message more than once, at every write (after it: %s)',
    async (after) => {
      let points = 0;
      for (let diesAt = 1; ; diesAt++) {
        const { world, died } = await runUntil(diesAt, after);
        for (const { sent, told } of [world.email, world.slack] as RecordingNotifier[]) {
          expect({ diesAt, told }).toEqual({ diesAt, told: 12 });
          const groups = [...new Set(sent.map(({ id }) => id))].map((wanted) => sent.filter(({ id }) => id === wanted));
          const repeated = groups.filter(({ length }) => length > 1);
          expect(repeated.length).toBeLessThanOrEqual(1);
          for (const [first, ...again] of repeated) expect(again).toEqual([first]);
        }
        if (!died) break;
        points += 1;
      }
      expect(points).toBeGreaterThan(60);
    },
    60_000,
  );

  it('sends it when it dies between the send and the note of it, with the same id', async () => {
    const world = new World();
    const inner = new MemoryStateStore(world.clock);
    const dying = world.process('one', {}, inner);
    const { send } = world.email;
    world.email.send = async function (this: RecordingNotifier, one) {
      await send.call(this, one);
      // The state has another owner from here on.
      await inner.put(
        { partition: 'notify/outbox', sort: 'all' },
        (await inner.get({ partition: 'notify/outbox', sort: 'all' }))?.value ?? null,
        undefined,
      );
    };
    await dying.notify(notification({ id: 'x' }));
    await world.clock.advance(10_000);
    await expect(dying.deliver(NEVER)).rejects.toMatchObject({ code: 'outbox_taken' });
    world.email.send = send;
    await world.clock.advance(120_000);
    await world.process('two', {}, inner).deliver(NEVER);
    expect(world.email.sent.map(({ id }) => id)).toEqual(['x', 'x']);
  });
});
