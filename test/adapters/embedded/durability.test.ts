import { join } from 'node:path';
import { openDatabase } from '../../../lib/adapters/embedded/database';
import { SqliteQueue } from '../../../lib/adapters/embedded/queue';
import { SqliteStateStore } from '../../../lib/adapters/embedded/state';
import { ManualClock } from '../../memory/clock';
import { type Child, startChild } from './children';
import { temporaryFolder } from './temporary';

describe('a process that is killed while it writes', () => {
  const folder = temporaryFolder();
  let child: Child | undefined;
  afterEach(async () => child?.kill());
  afterAll(() => folder.remove());

  it.each([1, 2, 3])('loses nothing that was acknowledged (%i)', async (round) => {
    const path = join(folder.path, `killed-${round}.db`);
    child = startChild('write', path);
    await child.until(100 + Math.floor(Math.random() * 300));
    await child.kill();
    const last = child.lines.at(-1) as number;

    const database = openDatabase(path);
    expect(database.all('test', 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    const store = new SqliteStateStore(database, new ManualClock(Date.now()));
    for (let n = last - 49; n <= last; n++) {
      const item = await store.get({ partition: 'p', sort: `n${n % 50}` });
      // One more may be written whose number was not printed any more.
      expect([n, n + 50]).toContain((item?.value as { n: number } | undefined)?.n);
    }
    const queue = new SqliteQueue(database, new ManualClock(Date.now() + 1000));
    const signal = new AbortController().signal;
    const messages = await queue.receive({ max: last + 10, visibilityMs: 1000, waitMs: 0, signal });
    const sent = new Set(messages.map(({ body }) => body));
    expect(Array.from({ length: last + 1 }, (_, n) => n).filter((n) => !sent.has(n))).toEqual([]);
    database.close();
  });
});
