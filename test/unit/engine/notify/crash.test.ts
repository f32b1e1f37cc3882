import type { Json } from '../../../../lib/core/json';
import type { Notification } from '../../../../lib/core/notification';
import type { Expected, StateItem, StateKey, StateQuery, StateStore } from '../../../../lib/core/ports';
import { MemoryStateStore } from '../../../memory/state';
import { notification, type RecordingNotifier, World } from './world';

const NEVER = new AbortController().signal;

/** Dies at one write, before or after it; from then on nothing works, as in a process that was killed. */
class MortalState implements StateStore {
  writes = 0;
  dead = false;

  constructor(
    readonly inner: StateStore,
    readonly diesAt: number,
    readonly after: boolean,
  ) {}

  get(key: StateKey): Promise<StateItem | undefined> {
    this.#alive();
    return this.inner.get(key);
  }

  query(partition: string, query?: StateQuery): Promise<readonly StateItem[]> {
    this.#alive();
    return this.inner.query(partition, query);
  }

  put(key: StateKey, value: Json, expected: Expected | undefined, expiresAt?: number): Promise<number | undefined> {
    return this.#write(() => this.inner.put(key, value, expected, expiresAt));
  }

  delete(key: StateKey, expected?: number): Promise<boolean> {
    return this.#write(() => this.inner.delete(key, expected));
  }

  async #write<T>(work: () => Promise<T>): Promise<T> {
    this.#alive();
    this.writes += 1;
    if (this.writes !== this.diesAt) return work();
    if (this.after) await work();
    this.dead = true;
    throw new Error('killed');
  }

  #alive(): void {
    if (this.dead) throw new Error('killed');
  }
}

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
