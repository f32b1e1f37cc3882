import mysql from 'mysql2/promise';
import { mysqlConfig } from '../../lib/connectors/mysql/config';
import { endpointOf } from '../../lib/connectors/mysql/endpoint';
import type { Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import {
  connectionOf,
  type GivenServer,
  type GivenSource,
  NOBODY,
  type OfServer,
  onlyWith,
} from '../contracts/given-server';
import { watchSockets } from '../contracts/open-sockets';
import { type Config, LARGE_VALUE, type RunningSource, type SourceFixture } from '../contracts/source-reading';
import { TROUBLE, troubleShownBy } from '../contracts/trouble-titles';
import { type MariadbServer, mariadb, startMariadb } from '../servers/mariadb';
import { freePort } from '../servers/port';

const SEEDED: Omit<StreamSchema, 'stream'> = {
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

const NULLS: readonly Row[] = [
  [1, null],
  [1, null],
  [1, 2],
  [2, null],
];
const SLOW = 'MariaDB takes 10 s to make them; found they are in 7 s';

/** MariaDB stands in for MySQL, which cannot be had here. */
export const fixtures: readonly SourceFixture[] = [{ ...mariadbFixture(), waivers: { [TROUBLE.many]: SLOW } }];

/** The fixture of both types; what goes wrong is shown once. */
export function mariadbFixture(): SourceFixture {
  const { name, unavailable } = mariadb();
  const waivers = troubleShownBy('the type mysql');
  return { name, kind: 'real', unavailable, waivers, start: async () => runningSource(await startMariadb()) };
}

/** The configuration of a source that reads a test server as its administrator. */
export function configOf({ host, port, database, user, password }: MariadbServer) {
  return { connection: { host, port, database, username: user, password } };
}

/** A client whose values are all texts. */
export async function textClient({ host, port, user, password, database }: MariadbServer): Promise<mysql.Connection> {
  return textClientOf({ host, port, user, password, database });
}

async function textClientOf(options: mysql.ConnectionOptions): Promise<mysql.Connection> {
  const client = await mysql.createConnection({
    ...options,
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
  const late = await textClient(server);
  const { user, password } = READER;
  await client.query(`create user ${user}@'%' identified by '${password}';
    grant select on ${server.database}.* to ${user}@'%'; grant process on *.* to ${user}@'%'`);
  const config = configOf({ ...server, ...READER });
  const { connection } = config;
  return {
    ...sourceOf({ client, late, prefix: 'contract_', schema: SEEDED }),
    config,
    secrets: [password],
    wrongPassword: () => ({ connection: { ...connection, password: 'not-the-password' } }),
    noDatabase: () => ({ connection: { ...connection, database: 'nowhere' } }),
    closedPort: async () => ({ connection: { ...connection, port: await freePort() } }),
    line: {
      host: server.host,
      port: server.port,
      through: (port) => ({ connection: { ...connection, port, connect_timeout: '500ms' } }),
    },
    async openConnections() {
      const [found] = await client.query<mysql.RowDataPacket[]>(
        `select count(*) from information_schema.processlist where user = '${user}'`,
      );
      return Number((found as unknown as string[][])[0]?.[0]);
    },
    async stop() {
      await Promise.all([client.end(), late.end()]);
      await server.stop();
    },
  };
}

/** The same on a server of the user's: MariaDB, or MySQL 8. */
export async function givenSource(given: GivenServer): Promise<GivenSource> {
  const { prefix } = given;
  const connections = watchSockets();
  const { host, port, database, username, password, tls } = endpointOf(mysqlConfig.parse(given.config).connection);
  const ssl = tls && { ssl: { ...tls, verifyIdentity: tls.rejectUnauthorized !== false } as mysql.SslOptions };
  const options = { host, port, database, user: username, password: password?.reveal() ?? '', ...ssl };
  const client = await textClientOf(options);
  const late = await textClientOf(options);
  const texts = async (statement: string, values: readonly string[] = []) => {
    const [found] = await client.query<mysql.RowDataPacket[]>(statement, [...values]);
    return (found as unknown as string[][]).map(([text = '']) => text);
  };
  const made = (beginning: string) =>
    texts(
      'select table_name from information_schema.tables where table_schema = database() and left(table_name, ?) = ?',
      [String(beginning.length), beginning],
    );
  const mayProcess = await texts(`select 1 from information_schema.user_privileges where privilege_type = 'PROCESS'`);
  const config = { ...given.config, tables: [`${prefix}*`] };
  const changed = (fields: Config) => ({ ...config, connection: { ...connectionOf(given), ...fields } });
  return {
    ...sourceOf({ client, late, prefix, schema: await schemaOf(texts) }),
    config,
    secrets: [password?.reveal() ?? NOBODY.password],
    wrongPassword: () => changed(NOBODY),
    noDatabase: () => changed({ database: `${prefix}nowhere` }),
    closedPort: async () => changed({ host: '127.0.0.1', port: await freePort() }),
    ...(tls === undefined && {
      line: { host, port, through: (own) => changed({ host: '127.0.0.1', port: own, connect_timeout: '3s' }) },
    }),
    openConnections: connections,
    notRun: {
      [TROUBLE.value]: 'most servers take no statement that is so large',
      ...(mayProcess.length === 0 &&
        onlyWith('the right PROCESS, without which increments read the last minute again')),
    },
    made,
    async removeAll() {
      for (const name of await made(prefix)) await client.query(`drop table ${mysql.escapeId(name)}`);
    },
    async stop() {
      await Promise.all([client.end(), late.end()]);
    },
  };
}

// Since 8.0.19 MySQL does not tell how wide integers are shown.
async function schemaOf(ask: (statement: string) => Promise<string[]>): Promise<Omit<StreamSchema, 'stream'>> {
  const [version = ''] = await ask('select version()');
  if (version.includes('MariaDB')) return SEEDED;
  const columns = SEEDED.columns.map((column) => ({
    ...column,
    native: column.native.replace('bigint(20)', 'bigint'),
  }));
  return { ...SEEDED, columns };
}

interface Place {
  readonly client: mysql.Connection;
  /** For what is committed late. */
  readonly late: mysql.Connection;
  /** What tables are called at their beginning. */
  readonly prefix: string;
  readonly schema: Omit<StreamSchema, 'stream'>;
}

function sourceOf({ client, late, prefix, schema }: Place): Omit<RunningSource, OfServer> {
  const items = `${prefix}items`;
  const rows = async (condition: string, by = client): Promise<Row[]> => {
    const [found] = await by.query<mysql.RowDataPacket[]>(`select * from ${items} where ${condition}`);
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
  const insert = async (ids: readonly number[], by = client) => {
    await by.query(`insert into ${items} select ${VALUES}, sysdate(6) from ${numbers(ids)}`);
    return rows(chosen(ids), by);
  };
  return {
    required: ['connection', 'connection.host', 'connection.database', 'connection.username'],
    expected: { stream: items, ...schema },
    cursor: 'updated_at',
    async seed(count) {
      await client.query(`
        drop table if exists ${items};
        create table ${items} (id bigint primary key, name varchar(200) not null, note text,
          amount decimal(12,2) not null, updated_at timestamp(6) not null default current_timestamp(6), key (updated_at))
          character set utf8mb4;
        insert into ${items} select ${VALUES},
          now(6) - interval 1 hour + interval g div 7 * 1000 microsecond from ${upTo(count)}`);
      return rows('1 = 1');
    },
    insert: (ids) => insert(ids),
    async update(ids) {
      await client.query(`update ${items} set amount = amount + 1, updated_at = sysdate(6) where ${chosen(ids)}`);
      return rows(chosen(ids));
    },
    async remove(ids) {
      await client.query(`delete from ${items} where ${chosen(ids)}`);
    },
    async addColumn(name) {
      await client.query(`alter table ${items} add column ${mysql.escapeId(name)} int`);
    },
    async seedLarge(bytes) {
      const large = `${prefix}large`;
      await client.query(`
        drop table if exists ${large}; create table ${large} (id int primary key, filling text);
        insert into ${large} select g, repeat(md5(g), 128) from ${upTo(Math.ceil(bytes / 4096))}`);
      return large;
    },
    async seedNamed(stream, column) {
      const table = prefix + stream;
      const [quoted, name] = [table, column].map((one) => mysql.escapeId(one, true));
      await client.query(`drop table if exists ${quoted}; create table ${quoted} (id int primary key, ${name} text);
        insert into ${quoted} values (1, 'here')`);
      return { stream: table, rows: [[1, 'here']] };
    },
    async seedNulls() {
      const nulls = `${prefix}nulls`;
      await client.query(`drop table if exists ${nulls}; create table ${nulls} (a int not null, b int, unique (a, b));
        insert into ${nulls} values (1, null), (1, null), (1, 2), (2, null)`);
      return { stream: nulls, rows: NULLS };
    },
    async seedText() {
      const text = `${prefix}text`;
      await client.query(`drop table if exists ${text}; create table ${text} (id int primary key, value longtext);
        insert into ${text} values (1, repeat('x', ${LARGE_VALUE}))`);
      return { stream: text, bytes: LARGE_VALUE };
    },
    async insertLate(ids) {
      await late.query('start transaction');
      const written = await insert(ids, late);
      return async () => {
        await late.query('commit');
        return written;
      };
    },
  };
}

/** The numbers from one on, in a way that MySQL knows as well. */
function upTo(count: number): string {
  const digits =
    '(select 0 as d union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 union all select 6 union all select 7 union all select 8 union all select 9)';
  const places = ['e', 'd', 'c', 'b', 'a'].slice(-String(count).length);
  const sum = places.map((place, index) => `${place}.d * ${10 ** (places.length - 1 - index)}`).join(' + ');
  const from = places.map((place) => `${digits} ${place}`).join(' cross join ');
  return `(select 1 + ${sum} as g from ${from}) n where g <= ${count} order by g`;
}
