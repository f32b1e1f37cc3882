import { join } from 'node:path';
import Database from 'libsql';
import { type ConnectorCase, runClient } from './case';

/** About 250 bytes a row, as the table of the PostgreSQL benchmarks. */
const TABLE = `create table events (
  id integer primary key, account integer not null, title text not null, note text, amount real not null, ratio real,
  quantity integer not null, active integer not null, attributes text not null, payload text, created_at text not null,
  updated_at text not null)`;
const FILL = `insert into events
  with recursive g(i) as (select 1 union all select i + 1 from g where i < ?)
  select i, (i * 7919) % 100000, 'Title "' || i || '" of' || char(10) || 'many — äöü 日本語 ' || substr('xxxxxxxxxxxxxxxxxxx', 1, i % 20),
    case when i % 10 then 'a' || char(9) || 'note\\' || hex(i * 7919) end, (i % 1000000) / 7.0, i / 3e0, i % 1000, i % 3 = 0,
    '{"n": ' || i || '.1234567890123456789, "tag": "v' || (i % 100) || '", "ok": true}',
    case when i % 4 then '{"list": [' || i || ', ' || (i + 1) || ', "two"]}' end,
    strftime('%Y-%m-%dT%H:%M:%fZ', 1704067200 + i, 'unixepoch'), strftime('%Y-%m-%dT%H:%M:%fZ', 1704067200 + i * 1.5, 'unixepoch')
  from g`;

/** A file; the bare client is SQLite's own. */
export const sqliteCase: ConnectorCase = {
  name: 'sqlite',
  client: 'sqlite3',
  async start(rows, folder) {
    const path = join(folder, 'bench.db');
    const database = new Database(path);
    database.pragma('journal_mode = wal');
    database.exec(TABLE);
    database.prepare(FILL).run(rows);
    database.close();
    return {
      document: { type: 'sqlite', connection: { path }, tables: ['events'], sync_strategy: { type: 'full' } },
      stream: 'events',
      async readWithClient(file) {
        await runClient('sqlite3', ['-readonly', '-csv', path, 'select * from events'], file);
      },
      stop: async () => undefined,
    };
  },
};
