import { setInterval } from 'node:timers';
import { openDataFolder } from '../../../lib/adapters/embedded/data-folder';
import { openDatabase } from '../../../lib/adapters/embedded/database';
import { startEmbeddedPostgresql } from '../../../lib/adapters/embedded/postgresql-server';
import { SqliteQueue } from '../../../lib/adapters/embedded/queue';
import { SqliteStateStore } from '../../../lib/adapters/embedded/state';
import type { Fault } from '../../../lib/core/fault';
import { systemClock } from '../../../lib/core/system-clock';
import { silentLog } from '../../memory/scheduler';

// node scripts/run.mjs test/adapters/embedded/child.ts lock|write|server PATH: does it until it is killed
const say = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);
const [, , work, path = ''] = process.argv;

async function lock(): Promise<void> {
  try {
    const folder = await openDataFolder(path);
    folder.announce('http://127.0.0.1:8080');
    say({ won: true });
  } catch (error) {
    const { code, message, hint } = error as Fault;
    say({ won: false, code, message, hint });
  }
}

async function write(): Promise<void> {
  const database = openDatabase(path);
  const store = new SqliteStateStore(database, systemClock);
  const queue = new SqliteQueue(database, systemClock);
  for (let n = 0; ; n++) {
    await store.put({ partition: 'p', sort: `n${n % 50}` }, { n, filler: 'x'.repeat(2000) }, undefined);
    await queue.send([{ group: 'g', body: n }]);
    say(n);
    if (n % 10 === 0) await systemClock.sleep(1);
  }
}

async function server(): Promise<void> {
  const { url, port, attached } = await startEmbeddedPostgresql(path, silentLog);
  say({ url, port, attached });
}

setInterval(() => undefined, 60_000);
await { lock, write, server }[work as 'lock' | 'write' | 'server']();
