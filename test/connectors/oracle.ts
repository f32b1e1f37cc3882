import Database from 'libsql';
import type { Row } from '../../lib/core/batch';
import type { Column, StreamSchema } from '../../lib/core/schema';
import { LARGE_VALUE, type RunningSource, type SourceFixture } from '../contracts/source-reading';
import { TROUBLE } from '../contracts/trouble-titles';
import { startOracleSeam } from '../servers/oracle-seam';
import { type FakeColumn, FakeOracle } from '../servers/oracle-tables';
import { freePort } from '../servers/port';
import { Files } from './sqlite';

const ROW_SCN: Column = { name: 'ORA_ROWSCN', type: 'int64', nullable: false, native: 'oracle/ORA_ROWSCN' };
const SEEDED: StreamSchema = {
  stream: 'CONTRACT_ITEMS',
  key: ['ID'],
  columns: [
    { name: 'ID', type: 'int64', nullable: false, native: 'oracle/NUMBER(18,0)' },
    { name: 'NAME', type: 'text', nullable: false, native: 'oracle/VARCHAR2(100 CHAR)' },
    { name: 'NOTE', type: 'text', nullable: true, native: 'oracle/CLOB' },
    { name: 'AMOUNT', type: 'decimal', nullable: false, native: 'oracle/NUMBER(12,2)' },
    { name: 'UPDATED_AT', type: 'timestamp', nullable: false, native: 'oracle/TIMESTAMP(6)' },
  ],
};
const FAKE_COLUMNS: readonly FakeColumn[] = [
  { name: 'ID', type: 'NUMBER', precision: 18, scale: 0 },
  { name: 'NAME', type: 'VARCHAR2' },
  { name: 'NOTE', type: 'CLOB', nullable: true },
  { name: 'AMOUNT', type: 'NUMBER', precision: 12, scale: 2 },
  { name: 'UPDATED_AT', type: 'TIMESTAMP(6)', scale: 6 },
];
const USER = 'explorerio';
const PASSWORD = 'sesame-of-the-fake';
const SERVICE = 'shop';
const NOW = `strftime('%Y-%m-%d %H:%M:%f', 'now')`;
const VALUES = `g, 'name "' || g || '"' || char(9) || '\\ ' || char(10) || ' é 🙂', case when g % 3 = 0 then 'note' end, g * 1.25`;
const NULLS: readonly Row[] = [
  [1n, null],
  [1n, null],
  [1n, 2n],
  [2n, null],
];

const AT_THE_SEAM = {
  [TROUBLE.names]: 'Oracle allows no quotation mark in names; oracle-reading.test.ts has what it allows',
  [TROUBLE.lost]: 'the seam is above the sockets; oracle-reading.test.ts breaks its connections',
  [TROUBLE.silent]: 'the seam is above the sockets',
  [TROUBLE.many]: 'our fake knows nothing of it; `npm run verify` shows it on a real server',
  [TROUBLE.value]: 'the driver, which would hold it, is not there',
  'a slow reader bounds the memory': 'the fake is in the process that is measured; rows are asked for by a few',
};

/** A fake in the place of the driver's connections; no Oracle can be had here. */
export const fixtures: readonly SourceFixture[] = [
  {
    name: 'our fake in the place of the driver, before SQLite',
    kind: 'driver-seam',
    unavailable: () => undefined,
    waivers: AT_THE_SEAM,
    start: () => running(false),
  },
  {
    name: 'our fake in the place of the driver, before SQLite, by ORA_ROWSCN',
    kind: 'driver-seam',
    unavailable: () => undefined,
    waivers: AT_THE_SEAM,
    start: () => running(true),
  },
];

/** The seam with a table, and what stands behind it. */
export async function startFake() {
  const files = new Files();
  const writer = files.writer('fake.db');
  const server = new FakeOracle(() => new Database(files.path('fake.db')));
  const seam = await startOracleSeam({
    user: USER,
    password: PASSWORD,
    service: SERVICE,
    open: () => server.session(),
  });
  const connection = {
    host: '127.0.0.1',
    port: seam.port,
    service_name: SERVICE,
    username: USER,
    password: PASSWORD,
  };
  const stop = async () => {
    await seam.stop();
    server.forgetMoments();
    files.remove();
  };
  return { writer, server, seam, connection, stop };
}

async function running(byScn: boolean): Promise<RunningSource> {
  const { writer, server, seam, connection, stop } = await startFake();
  const list = (ids: readonly number[]) => `(select value as g from json_each('[${ids.join(',')}]'))`;
  const chosen = (ids: readonly number[]) => `id in (${ids.join(', ')})`;
  const rows = (condition: string) =>
    (writer.prepare(`select * from contract_items where ${condition}`).raw().all() as unknown[][]).map((row) =>
      rowOf(row, byScn),
    );
  let number = 0;
  // As Oracle does: what was changed together has the number of the commit.
  const write = (sql: string, condition: string) => {
    writer.exec(`begin; ${sql}; update contract_items set ora_rowscn = ${++number} where ${condition}; commit`);
    return rows(condition);
  };
  return {
    config: { connection, ...(byScn && { row_scn: true }) },
    required: ['connection', 'connection.host', 'connection.username', 'connection.service_name'],
    secrets: [PASSWORD],
    expected: byScn ? { ...SEEDED, columns: [...SEEDED.columns, ROW_SCN] } : SEEDED,
    cursor: byScn ? 'ORA_ROWSCN' : 'UPDATED_AT',
    wrongPassword: () => ({ connection: { ...connection, password: 'not-the-password' } }),
    closedPort: async () => ({ connection: { ...connection, port: await freePort() } }),
    noDatabase: () => ({ connection: { ...connection, service_name: 'nowhere' } }),
    async seed(count) {
      writer.exec(`
        drop table if exists contract_items;
        create table contract_items (id integer primary key, name text not null, note text, amount numeric not null,
          updated_at text not null, ora_rowscn integer)`);
      server.describe('CONTRACT_ITEMS', FAKE_COLUMNS);
      const times = `strftime('%Y-%m-%d %H:%M:%f', julianday('now', '-1 hour') + g / 7 / 86400000.0), ${number} + g / 7`;
      writer.exec(`with recursive n(g) as (select 1 union all select g + 1 from n where g < ${count})
        insert into contract_items select ${VALUES}, ${times} from n`);
      number += count;
      return rows('1 = 1');
    },
    insert: async (ids) =>
      write(`insert into contract_items select ${VALUES}, ${NOW}, null from ${list(ids)}`, chosen(ids)),
    update: async (ids) =>
      write(`update contract_items set amount = amount + 1, updated_at = ${NOW} where ${chosen(ids)}`, chosen(ids)),
    async remove(ids) {
      writer.exec(`delete from contract_items where ${chosen(ids)}`);
    },
    async insertLate(ids) {
      const [[time] = []] = writer
        .prepare(`select strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 seconds')`)
        .raw()
        .all() as string[][];
      const name = `t1-${ids.join('-')}`;
      server.open?.add(name);
      return async () => {
        server.open?.delete(name);
        return write(`insert into contract_items select ${VALUES}, '${time}', null from ${list(ids)}`, chosen(ids));
      };
    },
    async addColumn(name) {
      writer.exec(`alter table contract_items add column "${name}" int`);
      server.describe('CONTRACT_ITEMS', [
        ...FAKE_COLUMNS,
        { name, type: 'NUMBER', precision: 9, scale: 0, nullable: true },
      ]);
    },
    async seedLarge(bytes) {
      writer.exec(`
        drop table if exists contract_large;
        create table contract_large (id integer primary key, filling text, ora_rowscn integer);
        with recursive n(g) as (select 1 union all select g + 1 from n where g < ${Math.ceil(bytes / 4096)})
        insert into contract_large select g, hex(zeroblob(2048)), 1 from n`);
      server.describe('CONTRACT_LARGE', [ID, { name: 'FILLING', type: 'CLOB', nullable: true }]);
      return 'CONTRACT_LARGE';
    },
    async seedNulls() {
      writer.exec(`drop table if exists contract_nulls;
        create table contract_nulls (a integer not null, b integer, ora_rowscn integer);
        insert into contract_nulls values (1, null, 1), (1, null, 1), (1, 2, 1), (2, null, 1)`);
      server.describe(
        'CONTRACT_NULLS',
        [
          { ...ID, name: 'A' },
          { ...ID, name: 'B', nullable: true },
        ],
        ['A', 'B'],
      );
      return { stream: 'CONTRACT_NULLS', rows: byScn ? NULLS.map((row) => [...row, 1n]) : NULLS };
    },
    async seedText() {
      writer.exec(
        'drop table if exists contract_text; create table contract_text (id integer primary key, value text)',
      );
      writer.prepare('insert into contract_text values (1, ?)').run('x'.repeat(LARGE_VALUE));
      server.describe('CONTRACT_TEXT', [ID, { name: 'VALUE', type: 'CLOB', nullable: true }]);
      return { stream: 'CONTRACT_TEXT', bytes: LARGE_VALUE };
    },
    openConnections: async () => seam.connections(),
    stop,
  };
}

const ID: FakeColumn = { name: 'ID', type: 'NUMBER', precision: 18, scale: 0 };

function rowOf([id, name, note, amount, time, number, ...others]: unknown[], byScn: boolean): Row {
  return [
    BigInt(Number(id)),
    String(name),
    note === null ? null : String(note),
    String(amount),
    String(time).replace(/\.?0+$/, (zeros) => (String(time).includes('.') ? '' : zeros)),
    ...(others as Row),
    ...(byScn ? [BigInt(Number(number))] : []),
  ];
}
