import type { ConnectionOptions } from 'node:tls';
import { invalidConfig } from '../../core/config';
import { durationMs } from '../../core/duration';
import type { Network } from '../../core/network';
import { Secret } from '../../core/secret';
import { type TlsConfig, tlsOf } from '../shared/tls';
import type { MysqlConfig } from './config';

type ConnectionConfig = MysqlConfig['connection'];

/** Where to connect and how, with every default filled in. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password?: Secret;
  /** Asked at each login instead, where a password soon ends. */
  readonly freshPassword?: () => Promise<Secret>;
  /** Absent: no encryption. */
  readonly tls?: ConnectionOptions;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs?: number;
  readonly maxConnections: number;
  /** The rules for connecting. */
  readonly network?: Network;
}

const DEFAULT_PORT = 3306;
const DEFAULT_CONNECTIONS = 4;
const DEFAULT_CONNECT_TIMEOUT = '10s';
const PROTOCOLS = new Set(['mysql:', 'mariadb:']);

type Given = Partial<Pick<ConnectionConfig, 'host' | 'port' | 'database' | 'username' | 'password' | 'ssl'>>;

/** Fills in defaults and takes the URI apart. @throws Fault `config`/`invalid_config` */
export function endpointOf(connection: ConnectionConfig, network?: Network): Endpoint {
  const given: Given = connection.uri ? { ...fromUri(connection.uri), ...withoutUndefined(connection) } : connection;
  const { host, database, username } = given;
  if (host === undefined || database === undefined || username === undefined) {
    throw invalidUri('host, database and user name must be in it, or be given beside it');
  }
  const tls = tlsOf(given.ssl ?? false, host, network);
  return {
    host,
    port: given.port ?? DEFAULT_PORT,
    database,
    username,
    ...(given.password && { password: given.password }),
    ...(tls && { tls }),
    connectTimeoutMs: durationMs(connection.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT),
    ...(connection.statement_timeout && { statementTimeoutMs: durationMs(connection.statement_timeout) }),
    maxConnections: connection.max_connections ?? DEFAULT_CONNECTIONS,
    ...(network && { network }),
  };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

function fromUri(uri: Secret): Given {
  const url = parseUrl(uri);
  const password = decodeURIComponent(url.password);
  return withoutUndefined({
    host: decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1') || undefined,
    port: url.port === '' ? undefined : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)) || undefined,
    username: decodeURIComponent(url.username) || undefined,
    password: password === '' ? undefined : new Secret(password),
    ssl: sslOfUri(url),
  }) as Given;
}

function parseUrl(uri: Secret): URL {
  let url: URL;
  try {
    url = new URL(uri.reveal());
  } catch {
    throw invalidUri('expected mysql://username:password@host:port/database'); // the parser's message quotes it
  }
  if (!PROTOCOLS.has(url.protocol)) throw invalidUri('must begin with mysql:// or mariadb://');
  return url;
}

// As the clients of MySQL call it: https://dev.mysql.com/doc/refman/8.4/en/connection-options.html
function sslOfUri(url: URL): TlsConfig | undefined {
  for (const name of url.searchParams.keys()) {
    if (name !== 'ssl-mode') throw invalidUri(`the parameter "${name}" is not known; use the fields of "connection"`);
  }
  const mode = url.searchParams.get('ssl-mode')?.toUpperCase();
  if (mode === undefined) return undefined;
  if (mode === 'DISABLED') return false;
  if (mode === 'VERIFY_IDENTITY') return true;
  if (mode === 'VERIFY_CA') return { verification: 'ca' };
  throw invalidUri(`ssl-mode "${mode}" does not verify the server; use VERIFY_IDENTITY, or say so in connection.ssl`);
}

function invalidUri(message: string) {
  return invalidConfig([{ path: 'connection.uri', message }]);
}
