import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { PostgresqlOptions, PostgresqlServer } from './postgresql';

/** POSTGRES_URL, where it can stand in for a private server: not when its settings or TLS are part of the test. */
export function ownServerUrl(options: PostgresqlOptions): string | undefined {
  if (options.settings || options.tls || options.authentication) return undefined;
  return process.env.POSTGRES_URL;
}

/** A scratch database on the server of the user, dropped by `stop`. It cannot be restarted or killed. */
export async function useOwnServer(address: string): Promise<PostgresqlServer> {
  const database = `explorerio_test_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  await query(address, `create database ${database} encoding 'UTF8' template template0`);
  const url = new URL(address);
  url.pathname = `/${database}`;
  return {
    url: url.href,
    host: url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database,
    get pid() {
      return refuse();
    },
    get dataDirectory() {
      return refuse();
    },
    log: refuse,
    stop: () => query(address, `drop database if exists ${database} with (force)`),
    restart: async () => refuse(),
    kill: async () => refuse(),
  };
}

function refuse(): never {
  throw new Error(
    'the server of POSTGRES_URL is not ours to stop or to look into; install postgresql-15 for this test',
  );
}

async function query(address: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: address });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
