import { Client, type ClientConfig } from 'pg';
import type { Logger } from '../../lib/core/log';
import { openDestination } from '../../lib/destinations';
import { tableName } from '../../lib/destinations/postgresql/names';
import type { DestinationFixture, StoredRow } from '../contracts/destination-harness';
import type { PostgresqlServer } from '../servers/postgresql';

const asText = { getTypeParser: () => (value: string) => value } as NonNullable<ClientConfig['types']>;

/** A log that nobody reads. */
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
};

/** Runs statements on a connection of their own; every value is text. */
export async function query(server: PostgresqlServer, text: string, values?: unknown[]): Promise<StoredRow[]> {
  const client = new Client({ connectionString: server.url, types: asText });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as StoredRow[];
  } finally {
    await client.end();
  }
}

/** The fixture of the destination contract on a real server. */
export function postgresqlFixture(server: PostgresqlServer): DestinationFixture {
  return {
    server: 'real',
    open: (context) => openDestination('postgresql', { url: server.url }, context, { log: silent }),
    async read(namespace, stream) {
      const table = `"${namespace}"."${tableName(stream)}"`;
      const [found] = await query(
        server,
        `SELECT to_regclass($1) AS found, EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1)
         AND attname = '_explorerio_deleted_at') AS soft`,
        [table],
      );
      if (!found?.found) return undefined;
      const rows = await query(
        server,
        `SELECT * FROM ${table} ${found.soft === 't' ? 'WHERE _explorerio_deleted_at IS NULL' : ''}`,
      );
      return rows.map((row) =>
        Object.fromEntries(Object.entries(row).filter(([name]) => !/^_explorerio_(synced|deleted)_at$/.test(name))),
      );
    },
    document(rows) {
      const text = rows.map(([id, name]) => `${id}\t${name}\n`).join('');
      async function* body() {
        yield Buffer.from(text.slice(0, 3));
        yield Buffer.from(text.slice(3));
      }
      return { format: 'pgcopy-text', body: body() };
    },
  };
}
