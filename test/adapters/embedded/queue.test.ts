import { join } from 'node:path';
import { openDatabase } from '../../../lib/adapters/embedded/database';
import { SqliteQueue } from '../../../lib/adapters/embedded/queue';
import { describeQueue } from '../../contracts/queue';
import { ManualClock } from '../../memory/clock';
import { temporaryFolder } from './temporary';

describeQueue('SQLite', async () => {
  const clock = new ManualClock();
  const folder = temporaryFolder();
  const database = openDatabase(join(folder.path, 'state.db'));
  return {
    queue: new SqliteQueue(database, clock, { maxReceives: 3 }),
    maxReceives: 3,
    elapse: (ms) => clock.advance(ms),
    close: async () => {
      database.close();
      folder.remove();
    },
  };
});

describe('queue in the state file', () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());
  const receive = (queue: SqliteQueue, waitMs = 0) =>
    queue.receive({ max: 10, visibilityMs: 60_000, waitMs, signal: new AbortController().signal });

  it('survives a restart; what the dead process had received is taken back', async () => {
    const path = join(folder.path, 'restart.db');
    const clock = new ManualClock();
    const before = openDatabase(path);
    const first = new SqliteQueue(before, clock);
    await first.send([
      { group: 'g', body: 1 },
      { group: 'g', body: 2, delayMs: 5000 },
    ]);
    const [held] = await receive(first);
    before.close();

    const after = openDatabase(path);
    const second = new SqliteQueue(after, clock);
    expect(await receive(second)).toEqual([]);
    await second.resetVisibility();
    const again = await receive(second);
    expect(again).toMatchObject([{ body: 1, attempts: 2 }]);
    await second.acknowledge(held?.receipt ?? '');
    await clock.advance(60_000);
    expect((await receive(second)).map(({ body }) => body).sort()).toEqual([1, 2]);
    after.close();
  });

  it('removes an acknowledged dead letter', async () => {
    const database = openDatabase(join(folder.path, 'dead.db'));
    const queue = new SqliteQueue(database, new ManualClock(), { maxReceives: 1 });
    await queue.send([{ group: 'g', body: 'bad' }]);
    for (const { receipt } of await receive(queue)) await queue.release(receipt, 0);
    await receive(queue);
    for (const { receipt } of await queue.deadLetters(10)) await queue.acknowledge(receipt);
    expect(await queue.deadLetters(10)).toEqual([]);
    database.close();
  });

  it('takes no call for a message that was given back', async () => {
    const database = openDatabase(join(folder.path, 'released.db'));
    const queue = new SqliteQueue(database, new ManualClock());
    await queue.send([{ group: 'g', body: 'a' }]);
    for (const { receipt } of await receive(queue)) {
      await queue.release(receipt, 0);
      await queue.acknowledge(receipt);
      await queue.extend(receipt, 5000);
    }
    expect(await receive(queue)).toHaveLength(1);
    database.close();
  });

  it('does not wake up while there is nothing to do', async () => {
    const database = openDatabase(join(folder.path, 'idle.db'));
    const clock = new ManualClock();
    const sleeps: number[] = [];
    const watched = {
      now: () => clock.now(),
      sleep: (ms: number, signal?: AbortSignal) => {
        sleeps.push(ms);
        return clock.sleep(ms, signal);
      },
    };
    const waiting = receive(new SqliteQueue(database, watched), 20_000);
    await clock.advance(20_000);
    expect(await waiting).toEqual([]);
    expect(sleeps).toEqual([20_000]);
    database.close();
  });

  it('refuses a message that the other home could not send', async () => {
    const database = openDatabase(join(folder.path, 'large.db'));
    const queue = new SqliteQueue(database, new ManualClock());
    const messages = ['ok', 'x'.repeat(256 * 1024)].map((body) => ({ group: 'g', body }));
    await expect(queue.send(messages)).rejects.toMatchObject({ kind: 'bug', code: 'too_large' });
    expect(await receive(queue)).toEqual([]);
    database.close();
  });
});
