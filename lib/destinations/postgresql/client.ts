import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { addressOf, type PostgresqlConfig } from './config';

const KEEP_ALIVE_DELAY_MS = 10_000;

/** All values arrive as the text that the server sent. */
const AS_TEXT = { getTypeParser: () => (value: string) => value } as NonNullable<ClientConfig['types']>;

/** Options of `pg` for this configuration. */
export function clientOptions(config: PostgresqlConfig): ClientConfig {
  const { host, port, database, user, password } = addressOf(config);
  const ssl = tlsOptions(config, host);
  return {
    host,
    port,
    database,
    user,
    ...(password !== undefined && { password }),
    ssl: ssl ?? false,
    application_name: 'explorerio',
    client_encoding: 'UTF8',
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    connectionTimeoutMillis: config.connect_timeout * 1000,
    types: AS_TEXT,
  };
}

/** TLS options, `undefined` where encryption was not asked for. */
export function tlsOptions({ ssl }: PostgresqlConfig, host: string): ConnectionOptions | undefined {
  if (ssl === false) return undefined;
  if (ssl === true) return { rejectUnauthorized: true, ...serverName(host) };
  return {
    rejectUnauthorized: ssl.verification === 'full',
    ...(ssl.ca !== undefined && { ca: ssl.ca }),
    ...(ssl.cert !== undefined && { cert: ssl.cert }),
    ...(ssl.key !== undefined && { key: ssl.key.reveal() }),
    ...serverName(ssl.server_name ?? host),
  };
}

/** A server name indication must not be an address; verification then uses the address itself. */
function serverName(name: string): { servername?: string } {
  return isIP(name) === 0 ? { servername: name } : {};
}
