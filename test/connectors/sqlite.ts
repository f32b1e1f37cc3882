import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Database from 'libsql';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import { LARGE_VALUE, type RunningSource, type SourceFixture } from '../contracts/source-reading';
import { TROUBLE } from '../contracts/trouble-titles';
import { freePort } from '../servers/port';

const SEEDED: StreamSchema = {
  stream: 'contract_items',
  key: ['id'],
  columns: [
    { name: 'id', type: 'int64', nullable: false, native: 'sqlite/integer' },
    { name: 'name', type: 'text', nullable: false, native: 'sqlite/text' },
    { name: 'note', type: 'text', nullable: true, native: 'sqlite/text' },
    { name: 'amount', type: 'decimal', nullable: false, native: 'sqlite/numeric(12,2)' },
    { name: 'updated_at', type: 'text', nullable: false, native: 'sqlite/datetime' },
  ],
};
const COLUMNS = 'id, name, note, cast(amount as text), updated_at';
const VALUES = `g, 'name "' || g || '"' || char(9) || '\\ ' || char(10) || ' é 🙂', case when g % 3 = 0 then 'note' end, g * 1.25`;
const NOW = `strftime('%Y-%m-%d %H:%M:%f', 'now')`;
// What ends with one statement is found by the next.
const COLLECTIONS = 3;
const NULLS: readonly Row[] = [
  [1n, null],
  [1n, null],
  [1n, 2n],
  [2n, null],
];
const SECRET = 'sesame-of-the-address';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const OF_A_FILE = {
  [TROUBLE.lost]: 'a file has no connection',
  [TROUBLE.silent]: 'a file has no server',
  [TROUBLE.many]: 'SQLite takes 10 s to make them; found they are in 5 s',
  [TROUBLE.late]: 'one transaction writes at a time, so none commits later than one that began after it',
};
const NOBODY_COMMITS = 'in this mode SQLite lets nobody commit while the file is read';

/** Files in both journal modes: with one, writers and readers do not wait for each other. */
export const fixtures: readonly SourceFixture[] = [
  {
    name: 'SQLite in WAL mode',
    kind: 'real',
    unavailable: () => undefined,
    start: async () => running('wal'),
    waivers: OF_A_FILE,
  },
  {
    name: 'SQLite with a rollback journal',
    kind: 'real',
    unavailable: () => undefined,
    start: async () => running('delete'),
    waivers: {
      ...OF_A_FILE,
      [TROUBLE.value]: 'shown in WAL mode: it is the same there',
      [TROUBLE.clock]: NOBODY_COMMITS,
      'writes during a full read are not lost': NOBODY_COMMITS,
    },
  },
];

/** A folder for files, with a way to write them. */
export class Files {
  readonly folder = mkdtempSync(join(tmpdir(), 'explorerio-sqlite-'));
  readonly #open: Database.Database[] = [];

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A connection that writes; in WAL mode unless another is asked for. */
  writer(name: string, journal = 'wal'): Database.Database {
    const database = new Database(this.path(name));
    database.pragma('busy_timeout = 5000');
    database.pragma(`journal_mode = ${journal}`);
    this.#open.push(database);
    return database;
  }

  remove(): void {
    for (const database of this.#open.splice(0)) if (database.open) database.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** How often this process has a file open. Statements of libsql keep it open until they are collected. */
export async function openings(path: string): Promise<number> {
  for (let round = 0; round < COLLECTIONS; round++) {
    collectGarbage();
    await setImmediate();
  }
  const opened = readdirSync('/proc/self/fd').filter((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`) === path;
    } catch {
      return false; // that of the listing itself
    }
  });
  return opened.length;
}

function running(journal: string): RunningSource {
  const files = new Files();
  const path = files.path('contract.db');
  const database = files.writer('contract.db', journal);
  const rows = (sql: string): Row[] => {
    const found = database.prepare(sql).raw().all() as Row[];
    return found.map(([id, ...others]) => [BigInt(Number(id)), ...others]);
  };
  const list = (ids: readonly number[]) => `(select value as g from json_each('[${ids.join(',')}]'))`;
  return {
    config: { connection: { path } },
    required: ['connection', 'connection.path'],
    secrets: [SECRET],
    expected: SEEDED,
    cursor: 'updated_at',
    wrongPassword() {
      writeFileSync(files.path('encrypted.db'), Buffer.alloc(8192, 'not the first page of a database '));
      return { connection: { path: files.path('encrypted.db') } };
    },
    noDatabase: () => ({ connection: { path: files.path('nowhere.db') } }),
    closedPort: async () => ({
      connection: { url: `https://reader:${SECRET}@127.0.0.1:${await freePort()}/shop.db?signature=${SECRET}` },
    }),
    async seed(count) {
      database.exec(`
        drop table if exists contract_items;
        create table contract_items (id integer primary key, name text not null, note text,
          amount numeric(12,2) not null, updated_at datetime not null);
        create index by_updated on contract_items (updated_at);
        with recursive n(g) as (select 1 union all select g + 1 from n where g < ${count})
        insert into contract_items select ${VALUES},
          strftime('%Y-%m-%d %H:%M:%f', julianday('now', '-1 hour') + g / 7 / 86400000.0) from n`);
      return rows(`select ${COLUMNS} from contract_items`);
    },
    insert: async (ids) =>
      rows(`insert into contract_items select ${VALUES}, ${NOW} from ${list(ids)} returning ${COLUMNS}`),
    update: async (ids) =>
      rows(`update contract_items set amount = amount + 1, updated_at = ${NOW}
        where id in (${ids.join(',')}) returning ${COLUMNS}`),
    async remove(ids) {
      database.exec(`delete from contract_items where id in (${ids.join(',')})`);
    },
    async addColumn(name) {
      database.exec(`alter table contract_items add column "${name}" int`);
    },
    async seedLarge(bytes) {
      database.exec(`
        drop table if exists contract_large;
        create table contract_large (id integer primary key, filling text);
        with recursive n(g) as (select 1 union all select g + 1 from n where g < ${Math.ceil(bytes / 4096)})
        insert into contract_large select g, hex(zeroblob(2048)) from n`);
      return 'contract_large';
    },
    async seedNamed(stream, column) {
      const [table, name] = [stream, column].map((text) => `"${text.replaceAll('"', '""')}"`);
      database.exec(`drop table if exists ${table}; create table ${table} (id integer primary key, ${name} text);
        insert into ${table} values (1, 'here')`);
      return { stream, rows: [[1n, 'here']] };
    },
    async seedNulls() {
      database.exec(`drop table if exists contract_nulls;
        create table contract_nulls (a integer not null, b integer, unique (a, b));
        insert into contract_nulls values (1, null), (1, null), (1, 2), (2, null)`);
      return { stream: 'contract_nulls', rows: NULLS };
    },
    async seedText() {
      database.exec(
        'drop table if exists contract_text; create table contract_text (id integer primary key, value text)',
      );
      database.prepare('insert into contract_text values (1, ?)').run('x'.repeat(LARGE_VALUE));
      return { stream: 'contract_text', bytes: LARGE_VALUE };
    },
    openConnections: () => openings(path),
    async stop() {
      files.remove();
    },
  };
}
