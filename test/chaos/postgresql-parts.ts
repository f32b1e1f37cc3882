import pg from 'pg';
import { loadConnector } from '../../lib/connectors';
import type { Connector } from '../../lib/core/connector';
import { openDestination } from '../../lib/destinations';
import { silentLog } from '../memory/scheduler';
import type { PostgresqlServer } from '../servers/postgresql';
import { INTEGRATION, type SourcePart, type StorePart } from './parts';

const STREAMS = ['orders', 'people'];

/** A source on a real server, with empty tables. One client, so that writes and reads of the test are in order. */
export async function postgresqlSource(server: PostgresqlServer, client: pg.Client): Promise<SourcePart> {
  const connector = await loadConnector('postgresql');
  await client.query('create sequence if not exists changes');
  for (const stream of STREAMS) {
    await client.query(`drop table if exists public.${stream}`);
    await client.query(
      `create table public.${stream} (id integer primary key, text text not null, changed bigint not null)`,
    );
  }
  const { host, port, database, user: username, password } = server;
  return {
    document: { type: 'postgresql', connection: { host, port, database, username, password }, tables: STREAMS },
    connector: (onOpen): Connector => ({
      ...connector,
      fields: connector.fields,
      open: async (config, own) => onOpen(await connector.open(config, own)),
    }),
    async put(stream, id, text) {
      await client.query(
        `insert into public.${stream} values ($1, $2, nextval('changes'))
         on conflict (id) do update set text = excluded.text, changed = excluded.changed`,
        [id, text],
      );
    },
    async remove(stream, id) {
      await client.query(`delete from public.${stream} where id = $1`, [id]);
    },
    rows: (stream) => tableRows(client, `public.${stream}`),
  };
}

/** A store on a real server, empty. */
export async function postgresqlStore(url: string, client: pg.Client): Promise<StorePart> {
  await client.query(`drop schema if exists ${INTEGRATION} cascade`);
  return {
    open: (context) => openDestination('postgresql', { url }, context, { log: silentLog }),
    rows: (stream) => tableRows(client, `${INTEGRATION}.${stream}`),
    async leftovers() {
      const { rows } = await client.query<{ readonly name: string }>(
        `select tablename as name from pg_tables where schemaname = $1 and tablename like '\\_explorerio\\_load\\_%'`,
        [INTEGRATION],
      );
      return rows.map((row) => row.name);
    },
  };
}

async function tableRows(client: pg.Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ readonly row: string }>(
    `select id || '|' || text || '|' || changed as row from ${table}`,
  );
  return rows.map(({ row }) => row).sort();
}

/** A connection of the test's own. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // the server may be stopped first
  await client.connect();
  return client;
}
