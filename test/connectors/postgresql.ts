import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { ByteBatch, Row } from '../../lib/core/batch';
import type { StreamSchema } from '../../lib/core/schema';
import type { RunningSource, SourceFixture } from '../contracts/source-reading';
import { freePort } from '../servers/port';
import { type PostgresqlServer, postgresql, startPostgresql } from '../servers/postgresql';
import type { PostgresqlVersion } from '../servers/postgresql-binaries';

const SEEDED: StreamSchema = {
  stream: 'contract_items',
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

/** Both versions that are tested. */
export const fixtures: readonly SourceFixture[] = [fixture(15), fixture(18)];

function fixture(version: PostgresqlVersion): SourceFixture {
  const { name, unavailable } = postgresql({ version });
  return { name, kind: 'real', unavailable, start: async () => runningSource(await startPostgresql({ version })) };
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
  const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
  const client = new pg.Client({ connectionString: server.url, types, application_name: 'fixture' });
  client.on('error', () => undefined); // the server may be stopped first
  await client.connect();
  await client.query(
    `set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; set bytea_output = 'hex'`,
  );
  return client;
}

async function runningSource(server: PostgresqlServer): Promise<RunningSource> {
  const client = await textClient(server);
  const config = configOf(server);
  const rows = async (sql: string): Promise<Row[]> => {
    const result = await client.query<string[]>({ text: sql, rowMode: 'array' });
    return result.rows.map((row) => [BigInt(row[0] ?? ''), ...row.slice(1)]);
  };
  const list = (ids: readonly number[]) => `unnest(array[${ids.join(',')}]) g`;
  return {
    config,
    required: ['connection', 'connection.host', 'connection.database', 'connection.username'],
    secrets: [server.password],
    expected: SEEDED,
    cursor: 'updated_at',
    wrongPassword: () => ({ connection: { ...config.connection, password: 'not-the-password' } }),
    closedPort: async () => ({ connection: { ...config.connection, port: await freePort() } }),
    async seed(count) {
      await client.query(`
        drop table if exists contract_items;
        create table contract_items (id bigint primary key, name text not null, note text,
          amount numeric(12,2) not null, updated_at timestamptz not null);
        create index on contract_items (updated_at);
        insert into contract_items select ${VALUES}, now() - interval '1 hour' + g / 7 * interval '1 ms'
        from generate_series(1, ${count}) g`);
      return rows(`select ${COLUMNS} from contract_items`);
    },
    insert: (ids) =>
      rows(`insert into contract_items select ${VALUES}, clock_timestamp() from ${list(ids)} returning ${COLUMNS}`),
    update: (ids) =>
      rows(`update contract_items set amount = amount + 1, updated_at = clock_timestamp()
        from ${list(ids)} where id = g returning ${COLUMNS}`),
    async remove(ids) {
      await client.query(`delete from contract_items using ${list(ids)} where id = g`);
    },
    async addColumn(name) {
      await client.query(`alter table contract_items add column ${client.escapeIdentifier(name)} int`);
    },
    async seedLarge(bytes) {
      await client.query(`
        drop table if exists contract_large; create table contract_large (id int primary key, filling text);
        insert into contract_large select g, repeat(md5(g::text), 128) from generate_series(1, ${Math.ceil(bytes / 4096)}) g`);
      return 'contract_large';
    },
    async openConnections() {
      const { rows: found } = await client.query<{ n: string }>(
        `select count(*) as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      );
      return Number(found[0]?.n);
    },
    async decode(batch) {
      await loadBytes(client, batch, 'decoded');
      return rows(`select ${COLUMNS} from decoded`);
    },
    async stop() {
      await client.end();
      await server.stop();
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
