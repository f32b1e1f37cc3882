import mysql from 'mysql2/promise';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import type { RunningSource, SourceFixture } from '../contracts/source-reading';
import { type MariadbServer, mariadb, startMariadb } from '../servers/mariadb';
import { freePort } from '../servers/port';

const SEEDED: StreamSchema = {
  stream: 'contract_items',
  key: ['id'],
  columns: [
    { name: 'id', type: 'int64', nullable: false, native: 'mysql/bigint(20)' },
    { name: 'name', type: 'text', nullable: false, native: 'mysql/varchar(200)' },
    { name: 'note', type: 'text', nullable: true, native: 'mysql/text' },
    { name: 'amount', type: 'decimal', nullable: false, native: 'mysql/decimal(12,2)' },
    { name: 'updated_at', type: 'timestamptz', nullable: false, native: 'mysql/timestamp(6)' },
  ],
};
const READER = { user: 'reader', password: 'reader-secret' };
const VALUES = `g, concat('name "', g, '"\\t\\\\ \\n é 🙂'), if(g % 3 = 0, 'note', null), g * 1.25`;

/** MariaDB stands in for MySQL, which cannot be had here. */
export const fixtures: readonly SourceFixture[] = [mariadbFixture()];

/** The fixture of both types. */
export function mariadbFixture(): SourceFixture {
  const { name, unavailable } = mariadb();
  return { name, kind: 'real', unavailable, start: async () => runningSource(await startMariadb()) };
}

/** The configuration of a source that reads a test server as its administrator. */
export function configOf({ host, port, database, user, password }: MariadbServer) {
  return { connection: { host, port, database, username: user, password } };
}

/** A client whose values are all texts. */
export async function textClient(server: MariadbServer): Promise<mysql.Connection> {
  const { host, port, user, password, database } = server;
  const client = await mysql.createConnection({
    host,
    port,
    user,
    password,
    database,
    charset: 'utf8mb4',
    rowsAsArray: true,
    multipleStatements: true,
    typeCast: (field) => field.string(),
  });
  client.on('error', () => undefined); // the server may be stopped first
  await client.query(`set time_zone = '+00:00'`);
  return client;
}

async function runningSource(server: MariadbServer): Promise<RunningSource> {
  const client = await textClient(server);
  const { user, password } = READER;
  await client.query(`create user ${user}@'%' identified by '${password}';
    grant select on ${server.database}.* to ${user}@'%'; grant process on *.* to ${user}@'%'`);
  const config = configOf({ ...server, ...READER });
  const rows = async (condition: string): Promise<Row[]> => {
    const [found] = await client.query<mysql.RowDataPacket[]>(`select * from contract_items where ${condition}`);
    return (found as unknown as string[][]).map(([id = '', name = '', note = null, amount = '', time = '']) => [
      BigInt(id),
      name,
      note,
      amount,
      `${time.replace(/\.?0*$/, '')}+00`,
    ]);
  };
  const chosen = (ids: readonly number[]) => `id in (${ids.join(', ')})`;
  const numbers = (ids: readonly number[]) => `(${ids.map((id) => `select ${id} as g`).join(' union all ')}) n`;
  return {
    config,
    required: ['connection', 'connection.host', 'connection.database', 'connection.username'],
    secrets: [password],
    expected: SEEDED,
    cursor: 'updated_at',
    wrongPassword: () => ({ connection: { ...config.connection, password: 'not-the-password' } }),
    closedPort: async () => ({ connection: { ...config.connection, port: await freePort() } }),
    async seed(count) {
      await client.query(`
        drop table if exists contract_items;
        create table contract_items (id bigint primary key, name varchar(200) not null, note text,
          amount decimal(12,2) not null, updated_at timestamp(6) not null default current_timestamp(6), key (updated_at));
        insert into contract_items select ${VALUES},
          now(6) - interval 1 hour + interval g div 7 * 1000 microsecond from (select seq as g from seq_1_to_${count}) n`);
      return rows('1 = 1');
    },
    async insert(ids) {
      await client.query(`insert into contract_items select ${VALUES}, sysdate(6) from ${numbers(ids)}`);
      return rows(chosen(ids));
    },
    async update(ids) {
      await client.query(`update contract_items set amount = amount + 1, updated_at = sysdate(6) where ${chosen(ids)}`);
      return rows(chosen(ids));
    },
    async remove(ids) {
      await client.query(`delete from contract_items where ${chosen(ids)}`);
    },
    async addColumn(name) {
      await client.query(`alter table contract_items add column \`${name}\` int`);
    },
    async seedLarge(bytes) {
      await client.query(`
        drop table if exists contract_large; create table contract_large (id int primary key, filling text);
        insert into contract_large select seq, repeat(md5(seq), 128) from seq_1_to_${Math.ceil(bytes / 4096)}`);
      return 'contract_large';
    },
    async openConnections() {
      const [found] = await client.query<mysql.RowDataPacket[]>(
        `select count(*) from information_schema.processlist where user = '${user}'`,
      );
      return Number((found as unknown as string[][])[0]?.[0]);
    },
    async stop() {
      await client.end();
      await server.stop();
    },
  };
}
