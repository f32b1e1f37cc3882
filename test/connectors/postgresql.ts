import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { postgresqlConfig } from '../../lib/connectors/postgresql/config';
import { endpointOf } from '../../lib/connectors/postgresql/endpoint';
import type { ByteBatch, Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import { noFeed } from '../contracts/feed-titles';
import { connectionOf, type GivenServer, type GivenSource, NOBODY, type OfServer } from '../contracts/given-server';
import { watchSockets } from '../contracts/open-sockets';
import {
  type Changes,
  type Config,
  LARGE_VALUE,
  type RunningSource,
  type SourceFixture,
} from '../contracts/source-reading';
import { TROUBLE } from '../contracts/trouble-titles';
import { freePort } from '../servers/port';
import { type PostgresqlServer, postgresql, startPostgresql } from '../servers/postgresql';
import type { PostgresqlVersion } from '../servers/postgresql-binaries';

const SEEDED: Omit<StreamSchema, 'stream'> = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int64', nullable: false, native: 'postgresql/bigint' },
    { name: 'name', type: 'text', nullable: false, native: 'postgresql/text' },
    { name: 'note', type: 'text', nullable: true, native: 'postgresql/text' },
    { name: 'amount', type: 'decimal', nullable: false, native: 'postgresql/numeric(12,2)' },
    { name: 'updated_at', type: 'timestamptz', nullable: false, native: 'postgresql/timestamp with time zone' },
  ],
};
const COLUMNS = 'id, name, note, amount::text, updated_at::text';
const VALUES = `g, E'name "' || g || E'"\\t\\\\ \\n é 🙂', case when g % 3 = 0 then 'note' end, g * 1.25`;

const NULLS: readonly Row[] = [
  [1, null],
  [1, null],
  [1, 2],
  [2, null],
];

/** Both versions that are tested. */
export const fixtures: readonly SourceFixture[] = [fixture(15), fixture(18)];

function fixture(version: PostgresqlVersion): SourceFixture {
  const { name, unavailable } = postgresql({ version });
  const start = async () => runningSource(await startPostgresql({ version }));
  const waivers =
    version === 18 ? {} : { [TROUBLE.many]: 'shown by PostgreSQL 18', [TROUBLE.value]: 'shown by PostgreSQL 18' };
  return { name, kind: 'real', unavailable, waivers, start };
}

/** The configuration of a source that reads a test server. */
export function configOf(server: PostgresqlServer) {
  return {
    connection: {
      host: server.host,
      port: server.port,
      database: server.database,
      username: server.user,
      password: server.password,
    },
  };
}

/** A client whose values are all texts, as PostgreSQL writes them. */
export async function textClient(server: PostgresqlServer): Promise<pg.Client> {
  return textClientOf({ connectionString: server.url });
}

async function textClientOf(options: pg.ClientConfig): Promise<pg.Client> {
  const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
  const client = new pg.Client({ ...options, types, application_name: 'fixture' });
  client.on('error', () => undefined); // the server may be stopped first
  await client.connect();
  await client.query(
    `set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; set bytea_output = 'hex'`,
  );
  return client;
}

async function runningSource(server: PostgresqlServer): Promise<RunningSource> {
  const client = await textClient(server);
  const late = await textClient(server);
  const config = configOf(server);
  const { connection } = config;
  const source = sourceOf({ client, late, prefix: 'contract_', schema: 'public' });
  return {
    ...source,
    changes: { ...source.changes, loseLog: () => dropSlots(client), kept: () => keptIn(client) },
    config,
    secrets: [server.password],
    wrongPassword: () => ({ connection: { ...connection, password: 'not-the-password' } }),
    noDatabase: () => ({ connection: { ...connection, database: 'nowhere' } }),
    closedPort: async () => ({ connection: { ...connection, port: await freePort() } }),
    line: {
      host: server.host,
      port: server.port,
      through: (port) => ({ connection: { ...connection, port, connect_timeout: '500ms' } }),
    },
    async openConnections() {
      const { rows: found } = await client.query<{ n: string }>(
        `select count(*) as n from pg_stat_activity where backend_type = 'client backend' and application_name is distinct from 'fixture'`,
      );
      return Number(found[0]?.n);
    },
    async stop() {
      // A database that has one cannot be dropped.
      await dropSlots(client);
      await Promise.all([client.end(), late.end()]);
      await server.stop();
    },
  };
}

/** The same on a server of the user's. */
export async function givenSource(given: GivenServer): Promise<GivenSource> {
  const { prefix, schema = 'public' } = given;
  const connections = watchSockets();
  const endpoint = endpointOf(postgresqlConfig.parse(given.config).connection);
  const { host, port, database, username, password, tls } = endpoint;
  const options = { host, port, database, user: username, password: password?.reveal() ?? '', ssl: tls ?? false };
  const client = await textClientOf(options);
  const late = await textClientOf(options);
  for (const one of [client, late]) await one.query(`set search_path = ${client.escapeIdentifier(schema)}`);
  const made = async (beginning: string) => {
    const { rows } = await client.query<{ name: string }>(
      'select tablename as name from pg_tables where schemaname = $1 and starts_with(tablename, $2) order by 1',
      [schema, beginning],
    );
    return rows.map(({ name }) => name);
  };
  const config = { ...given.config, tables: [`${schema}.${prefix}*`] };
  const changed = (fields: Config) => ({ ...config, connection: { ...connectionOf(given), ...fields } });
  return {
    ...sourceOf({ client, late, prefix, schema }),
    config,
    secrets: [password?.reveal() ?? NOBODY.password],
    wrongPassword: () => changed(NOBODY),
    noDatabase: () => changed({ database: `${prefix}nowhere` }),
    closedPort: async () => changed({ host: '127.0.0.1', port: await freePort() }),
    ...(tls === undefined && {
      line: { host, port, through: (own) => changed({ host: '127.0.0.1', port: own, connect_timeout: '3s' }) },
    }),
    openConnections: connections,
    notRun: noFeed(
      'it would make a replication slot on a server of yours, which keeps its log while the slot is there',
    ),
    made,
    async removeAll() {
      for (const name of await made(prefix)) await client.query(`drop table ${client.escapeIdentifier(name)}`);
    },
    async stop() {
      await Promise.all([client.end(), late.end()]);
    },
  };
}

/** As an administrator does who is short of disk space. */
async function dropSlots(client: pg.Client): Promise<void> {
  const slots = 'from pg_replication_slots where database = current_database()';
  await client.query(`select pg_terminate_backend(active_pid, 5000) ${slots} and active_pid is not null`);
  await client.query(`select pg_drop_replication_slot(slot_name) ${slots}`);
}

async function keptIn(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select 'slot ' || slot_name as name from pg_replication_slots where database = current_database() union all
     select 'publication ' || pubname from pg_publication order by 1`,
  );
  return rows.map(({ name }) => name);
}

interface Place {
  readonly client: pg.Client;
  /** For what is committed late. */
  readonly late: pg.Client;
  /** What tables are called at their beginning. */
  readonly prefix: string;
  readonly schema: string;
}

function sourceOf({ client, late, prefix, schema }: Place): Omit<RunningSource, OfServer> {
  const items = `${prefix}items`;
  const large = `${prefix}large`;
  const streamOf = (table: string) => `${schema}.${table}`.replace(/^public\./, '');
  const rowsOf = (found: string[][]): Row[] => found.map((row) => [BigInt(row[0] ?? ''), ...row.slice(1)]);
  const rows = async (sql: string, by = client): Promise<Row[]> => {
    const result = await by.query<string[]>({ text: sql, rowMode: 'array' });
    return rowsOf(result.rows);
  };
  const list = (ids: readonly number[]) => `unnest(array[${ids.join(',')}]) g`;
  const insert = (ids: readonly number[], by = client) =>
    rows(`insert into ${items} select ${VALUES}, clock_timestamp() from ${list(ids)} returning ${COLUMNS}`, by);
  return {
    required: ['connection', 'connection.host', 'connection.database', 'connection.username'],
    expected: { stream: streamOf(items), ...SEEDED },
    cursor: 'updated_at',
    async seed(count) {
      await client.query(`
        drop table if exists ${items};
        create table ${items} (id bigint primary key, name text not null, note text,
          amount numeric(12,2) not null, updated_at timestamptz not null);
        create index on ${items} (updated_at);
        insert into ${items} select ${VALUES}, now() - interval '1 hour' + g / 7 * interval '1 ms'
        from generate_series(1, ${count}) g`);
      return rows(`select ${COLUMNS} from ${items}`);
    },
    insert: (ids) => insert(ids),
    update: (ids) =>
      rows(`update ${items} set amount = amount + 1, updated_at = clock_timestamp()
        from ${list(ids)} where id = g returning ${COLUMNS}`),
    async remove(ids) {
      await client.query(`delete from ${items} using ${list(ids)} where id = g`);
    },
    async addColumn(name) {
      await client.query(`alter table ${items} add column ${client.escapeIdentifier(name)} int`);
    },
    async seedLarge(bytes) {
      await client.query(`
        drop table if exists ${large}; create table ${large} (id int primary key, filling text);
        insert into ${large} select g, repeat(md5(g::text), 128) from generate_series(1, ${Math.ceil(bytes / 4096)}) g`);
      return streamOf(large);
    },
    async seedNamed(stream, column) {
      const table = prefix + stream;
      const quoted = client.escapeIdentifier(table);
      await client.query(`drop table if exists ${quoted};
        create table ${quoted} (id int primary key, ${client.escapeIdentifier(column)} text);
        insert into ${quoted} values (1, 'here')`);
      return { stream: streamOf(table), rows: [[1, 'here']] };
    },
    async seedNulls() {
      const nulls = `${prefix}nulls`;
      await client.query(`drop table if exists ${nulls}; create table ${nulls} (a int not null, b int, unique (a, b));
        insert into ${nulls} values (1, null), (1, null), (1, 2), (2, null)`);
      return { stream: streamOf(nulls), rows: NULLS };
    },
    async seedText() {
      const text = `${prefix}text`;
      await client.query(`drop table if exists ${text}; create table ${text} (id int primary key, value text);
        insert into ${text} values (1, repeat('x', ${LARGE_VALUE}))`);
      return { stream: streamOf(text), bytes: LARGE_VALUE };
    },
    async seedMany(count) {
      await client.query(`do $$ begin
        for n in 1..${count} loop
          execute format('create table ${prefix}many_%s (id int)', n);
          if n % 500 = 0 then commit; end if; -- more would not fit into the table of locks
        end loop; end $$`);
    },
    async insertLate(ids) {
      await late.query('begin');
      const written = await insert(ids, late);
      return async () => {
        await late.query('commit');
        return written;
      };
    },
    changes: changesOf(client, { items, large, rows }),
    async decode(batch) {
      await loadBytes(client, batch, 'pg_temp.decoded');
      return rows(`select ${COLUMNS} from pg_temp.decoded`);
    },
  };
}

interface Tables {
  readonly items: string;
  readonly large: string;
  rows(sql: string): Promise<Row[]>;
}

function changesOf(client: pg.Client, { items, large, rows }: Tables): Changes {
  return {
    async changeKey(from, to) {
      const [row = []] = await rows(`update ${items} set id = ${to} where id = ${from} returning ${COLUMNS}`);
      return row;
    },
    async truncate() {
      await client.query(`truncate ${items}`);
    },
    async together(work) {
      await client.query('begin');
      try {
        return await work();
      } finally {
        await client.query('commit');
      }
    },
    async rewriteLarge() {
      await client.query(`update ${large} set filling = filling || 'x'`);
    },
  };
}

/** Loads COPY's bytes into a new temporary table whose columns have the native types of the batch. */
export async function loadBytes(client: pg.Client, batch: ByteBatch, table: string): Promise<void> {
  const columns = batch.schema.columns.map(
    ({ name, native }) => `${client.escapeIdentifier(name)} ${native.replace(/^postgresql\//, '')}`,
  );
  await client.query(`drop table if exists ${table}; create temporary table ${table} (${columns.join(', ')})`);
  const format = batch.format === 'pgcopy-binary' ? 'binary' : 'text';
  await pipeline(batch.body, client.query(copyFrom(`copy ${table} from stdin (format ${format})`)));
}
