import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program } from '../cli/program';
import { postgresql } from '../servers/postgresql';
import { describeWithServer } from '../servers/require';
import { type Databases, documentOf, makeDatabases } from './home';

const MEGABYTE = 1024 * 1024;
const DIGEST =
  'select id, length(t) as text, hashtextextended(t, 0) as hash, length(b) as bytes, md5(b) as bytes_hash from';

/** The most memory that a process had, in MB: asked again and again until it is gone. */
async function peakOf(pid: number, ended: Promise<unknown>): Promise<number> {
  let peak = 0;
  let running = true;
  ended.then(() => {
    running = false;
  });
  while (running) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      return peak; // it has ended
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return peak;
}

describeWithServer('values of 200 MB', postgresql({ version: 18 }), (server) => {
  let databases: Databases;
  let program: Program;

  beforeAll(async () => {
    program = new Program();
    databases = await makeDatabases(server());
    await databases.source.query(`create schema large; set search_path to large;
      create table t (id int primary key, t text, b bytea, updated_at timestamptz not null default now());
      alter table t alter t set storage external, alter b set storage external;
      insert into t values (1, repeat('0123456789abcde\u00fc', ${Math.floor((200 * MEGABYTE) / 17)}), null), (2, 'small', null),
        (3, null, decode(repeat('00ff', ${5 * MEGABYTE}), 'hex'))`);
  }, 60_000);
  afterAll(async () => {
    await databases.close();
    program.remove();
  });

  // Bytes pass through in blocks. A row that is decoded is there as a whole, a few times, but not more than that.
  it.each([
    ['auto', 300],
    ['off', 1500],
  ] as const)(
    'go through by bulk %s, loaded and as an increment, in at most %i MB of memory',
    async (bulk, most) => {
      const { source, target, targetUrl } = databases;
      const file = join(program.scratch, `${bulk}.json`);
      const document = { ...documentOf(server(), bulk, { sync_settings: { bulk } }), schemas: ['large'] };
      writeFileSync(file, JSON.stringify(document));
      const args = ['--data', join(program.scratch, bulk), '--destination-url', targetUrl];
      for (const column of ['t', 'b']) {
        const sync = program.start(['sync', file, ...args]);
        const peak = await peakOf(sync.process.pid ?? 0, sync.ended);
        const { code, out, err } = await sync.ended;
        expect(`${out}${err}`).toMatch(/succeeded, 3 rows/);
        expect(code).toBe(0);
        const stored = await target.query(`${DIGEST} ${bulk}.large__t order by id`);
        expect(stored.rows).toEqual((await source.query(`${DIGEST} t order by id`)).rows);
        expect(peak).toBeGreaterThan(50);
        expect(peak).toBeLessThan(most);
        // The large values stay where they are, and are read again.
        await source.query(`update t set ${column} = 'x' where id = 2; update t set updated_at = now()`);
      }
    },
    90_000,
  );
});
