import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import Database from 'libsql';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import type { Config, RunningSource, SourceFixture } from '../contracts/source-reading';
import { TROUBLE, troubleShownBy } from '../contracts/trouble-titles';
import { makeCertificates } from '../servers/certificates';
import { type Seam, startSeam } from '../servers/mssql-seam';
import { type FakeColumn, FakeTables } from '../servers/mssql-tables';
import { freePort } from '../servers/port';
import { Files } from './sqlite';

/** The shape of the stream. */
export const SEEDED: StreamSchema = {
  stream: 'contract_items',
  key: ['id'],
  columns: [
    { name: 'id', type: 'int64', nullable: false, native: 'mssql/bigint' },
    { name: 'name', type: 'text', nullable: false, native: 'mssql/nvarchar(200)' },
    { name: 'note', type: 'text', nullable: true, native: 'mssql/nvarchar(max)' },
    { name: 'amount', type: 'decimal', nullable: false, native: 'mssql/decimal(12,2)' },
    { name: 'updated_at', type: 'timestamp', nullable: false, native: 'mssql/datetime2(3)' },
    { name: 'version', type: 'bytes', nullable: false, native: 'mssql/timestamp' },
  ],
};
const FAKE_COLUMNS: readonly FakeColumn[] = [
  { name: 'id', type: 'bigint' },
  { name: 'name', type: 'nvarchar', length: 400 },
  { name: 'note', type: 'nvarchar', length: -1, nullable: true },
  { name: 'amount', type: 'decimal', precision: 12, scale: 2 },
  { name: 'updated_at', type: 'datetime2', scale: 3 },
  { name: 'version', type: 'timestamp' },
];
const USER = 'explorerio';
const PASSWORD = 'sesame-of-the-fake';
const VALUES = `g, 'name "' || g || '"' || char(9) || '\\ ' || char(10) || ' é 🙂', case when g % 3 = 0 then 'note' end,
  printf('%.2f', g * 1.25), strftime('%Y-%m-%d %H:%M:%f', 'now')`;

const FAKE = 'our fake knows nothing of it; `npm run verify` shows it on a real server';
/** The fake with what tests of their own need of it. */
export interface RunningFake extends RunningSource {
  readonly tables: FakeTables;
  /** Writes to what is behind it. */
  readonly writer: Database.Database;
}

const IN_PROCESS = {
  [TROUBLE.noDatabase]: 'our fake has one database; mssql-session.test.ts shows what the number of the error means',
  [TROUBLE.names]: FAKE,
  [TROUBLE.nulls]: FAKE,
  [TROUBLE.value]: FAKE,
  [TROUBLE.late]: FAKE,
  [TROUBLE.many]: FAKE,
  'a slow reader bounds the memory':
    'the fake is in the process that is measured; mssql-session.test.ts counts what it sends instead',
};

/** A fake that speaks to the driver over the network; no SQL Server can be had here. */
export const fixtures: readonly SourceFixture[] = [
  {
    name: 'our fake of the TDS protocol before SQLite',
    kind: 'wire-fake',
    unavailable: () => undefined,
    waivers: IN_PROCESS,
    start: startFake,
  },
];

/** The first of them. */
export function startFake(): Promise<RunningFake> {
  return running(({ port }) => ({ host: '127.0.0.1', port, encrypt: false }), 'connection.username');
}

/** The same, always encrypted. */
export const encryptedFixture: SourceFixture = {
  name: 'our fake of the TDS protocol before SQLite, encrypted',
  kind: 'wire-fake',
  unavailable: () => undefined,
  waivers: { ...IN_PROCESS, ...troubleShownBy('the type mssql') },
  start: () => running(({ port }, ca) => ({ server: 'localhost', port, ssl: { ca } }), 'connection.server'),
};

async function running(place: (seam: Seam, ca: string) => Config, required: string): Promise<RunningFake> {
  const files = new Files();
  const folder = mkdtempSync(join(tmpdir(), 'explorerio-mssql-'));
  const { ca } = makeCertificates(folder, USER);
  const read = (file: string) => readFileSync(join(folder, file));
  const writer = files.writer('fake.db');
  const tables = new FakeTables(() => new Database(files.path('fake.db')));
  const secureContext = createSecureContext({ cert: read('server.crt'), key: read('server.key') });
  const seam = await startSeam({ user: USER, password: PASSWORD, secureContext, answer: tables.answer });
  const connection = { ...place(seam, ca), database: 'shop', username: USER, password: PASSWORD };
  const list = (ids: readonly number[]) => `(select value as g from json_each('[${ids.join(',')}]'))`;
  const rows = (condition: string) =>
    (writer.prepare(`select * from contract_items where ${condition}`).raw().all() as unknown[][]).map(rowOf);
  let versions = 0;
  // As SQL Server does: each row that is written gets the next number.
  const stamp = (condition: string) => {
    for (const [id] of writer.prepare(`select id from contract_items where ${condition}`).raw().all() as number[][]) {
      const version = (++versions).toString(16).padStart(16, '0');
      writer.exec(`update contract_items set version = x'${version}' where id = ${id}`);
    }
  };
  const chosen = (ids: readonly number[]) => `id in (${ids.join(', ')})`;
  return {
    tables,
    writer,
    config: { connection },
    required: ['connection', 'connection.database', required],
    secrets: [PASSWORD],
    expected: SEEDED,
    cursor: 'version',
    wrongPassword: () => ({ connection: { ...connection, password: 'not-the-password' } }),
    closedPort: async () => ({ connection: { ...connection, port: await freePort() } }),
    line: {
      host: '127.0.0.1',
      port: seam.port,
      through: (port) => ({ connection: { ...connection, port, connect_timeout: '500ms' } }),
    },
    async seed(count) {
      writer.exec(`
        drop table if exists contract_items;
        create table contract_items (id integer primary key, name text not null, note text, amount text not null,
          updated_at text not null, version blob);
        with recursive n(g) as (select 1 union all select g + 1 from n where g < ${count})
        insert into contract_items select ${VALUES}, null from n; begin`);
      stamp('1 = 1');
      writer.exec('commit');
      tables.describe('contract_items', FAKE_COLUMNS);
      return rows('1 = 1');
    },
    async insert(ids) {
      writer.exec(`begin; insert into contract_items select ${VALUES}, null from ${list(ids)}`);
      stamp(chosen(ids));
      writer.exec('commit');
      return rows(chosen(ids));
    },
    async update(ids) {
      writer.exec(`begin; update contract_items set amount = printf('%.2f', amount + 1) where ${chosen(ids)}`);
      stamp(chosen(ids));
      writer.exec('commit');
      return rows(chosen(ids));
    },
    async remove(ids) {
      writer.exec(`delete from contract_items where ${chosen(ids)}`);
    },
    async addColumn(name) {
      writer.exec(`alter table contract_items add column "${name}" int`);
      tables.describe('contract_items', [...FAKE_COLUMNS, { name, type: 'int', nullable: true }]);
    },
    async seedLarge(bytes) {
      writer.exec(`
        drop table if exists contract_large;
        create table contract_large (id integer primary key, filling text);
        with recursive n(g) as (select 1 union all select g + 1 from n where g < ${Math.ceil(bytes / 4096)})
        insert into contract_large select g, hex(zeroblob(2048)) from n`);
      tables.describe('contract_large', [
        { name: 'id', type: 'int' },
        { name: 'filling', type: 'nvarchar', length: -1, nullable: true },
      ]);
      return 'contract_large';
    },
    openConnections: async () => seam.connections(),
    async stop() {
      await seam.stop();
      files.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A row of it as it has to be read. */
export function rowOf([id, name, note, amount, time, version]: unknown[]): Row {
  return [
    BigInt(Number(id)),
    String(name),
    note === null ? null : String(note),
    String(amount),
    String(time).replace(/\.?0+$/, (zeros) => (String(time).includes('.') ? '' : zeros)),
    Buffer.from(version as Uint8Array),
  ];
}
