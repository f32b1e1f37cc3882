import { readFileSync } from 'node:fs';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { invalidConfig } from '../../core/config';
import { durationMs } from '../../core/duration';
import type { Network } from '../../core/network';
import { Secret } from '../../core/secret';
import type { ConnectionConfig } from './config';

/** Where to connect and how, with every default filled in. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password?: Secret;
  /** Absent: no encryption. */
  readonly tls?: ConnectionOptions;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs?: number;
  readonly maxConnections: number;
  /** The rules for connecting. */
  readonly network?: Network;
}

const DEFAULT_PORT = 5432;
const DEFAULT_CONNECTIONS = 4;
const DEFAULT_CONNECT_TIMEOUT = '10s';

type Given = Partial<Pick<ConnectionConfig, 'host' | 'port' | 'database' | 'username' | 'password' | 'ssl'>>;

/** Fills in defaults and takes the URI apart. @throws Fault `config`/`invalid_config` */
export function endpointOf(connection: ConnectionConfig, network?: Network): Endpoint {
  const given: Given = connection.uri ? { ...fromUri(connection.uri), ...withoutUndefined(connection) } : connection;
  const { host, database, username } = given;
  if (host === undefined || database === undefined || username === undefined) {
    throw invalidUri('host, database and user name must be in it, or be given beside it');
  }
  const tls = ruledTls(tlsOptions(given.ssl ?? false), given.ssl, host, network);
  return {
    host,
    port: given.port ?? DEFAULT_PORT,
    database,
    username,
    ...(given.password && { password: given.password }),
    ...(tls && { tls }),
    applicationName: connection.application_name ?? 'explorerio',
    connectTimeoutMs: durationMs(connection.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT),
    ...(connection.statement_timeout && { statementTimeoutMs: durationMs(connection.statement_timeout) }),
    maxConnections: connection.max_connections ?? DEFAULT_CONNECTIONS,
    ...(network && { network }),
  };
}

/** Encryption as the connection says, within what `network_security` says. A Unix socket has none and needs none. */
function ruledTls(
  tls: ConnectionOptions | undefined,
  ssl: ConnectionConfig['ssl'],
  host: string,
  network: Network | undefined,
): ConnectionOptions | undefined {
  if (network === undefined || host.startsWith('/')) return tls;
  if (tls === undefined) {
    if (network.requireTls) throw unruly('ssl', 'network_security.require_ssl asks for encryption; set it to true');
    return undefined;
  }
  if (network.verifyTls === true && tls.rejectUnauthorized === false) {
    throw unruly('ssl.verification', 'network_security.ssl_verification asks for "full" or "ca"');
  }
  return network.verifyTls === false && ssl === true ? { ...tls, rejectUnauthorized: false } : tls;
}

function unruly(field: string, message: string) {
  return invalidConfig([{ path: `connection.${field}`, message }]);
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
    throw invalidUri('expected postgresql://username:password@host:port/database'); // the parser's message quotes it
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') throw invalidUri('must begin with postgresql://');
  return url;
}

function sslOfUri(url: URL): ConnectionConfig['ssl'] | undefined {
  for (const name of url.searchParams.keys()) {
    if (name !== 'sslmode') throw invalidUri(`the parameter "${name}" is not known; use the fields of "connection"`);
  }
  const mode = url.searchParams.get('sslmode');
  if (mode === null) return undefined;
  if (mode === 'disable') return false;
  if (mode === 'verify-full') return true;
  if (mode === 'verify-ca') return { verification: 'ca' };
  throw invalidUri(`sslmode "${mode}" does not verify the server; use verify-full, or say so in connection.ssl`);
}

function invalidUri(message: string) {
  return invalidConfig([{ path: 'connection.uri', message }]);
}

function tlsOptions(ssl: NonNullable<ConnectionConfig['ssl']>): ConnectionOptions | undefined {
  if (ssl === false) return undefined;
  if (ssl === true) return { rejectUnauthorized: true };
  const { verification = 'full', server_name: serverName } = ssl;
  if ((ssl.cert === undefined) !== (ssl.key === undefined)) throw unpaired(ssl.cert === undefined ? 'cert' : 'key');
  return {
    rejectUnauthorized: verification !== 'off',
    ...(verification !== 'full' && { checkServerIdentity: () => undefined }),
    ...(verification === 'full' &&
      serverName !== undefined && {
        servername: serverName,
        // The driver puts the host into SNI; the certificate is still checked against the name that was asked for.
        checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
      }),
    ...(ssl.ca !== undefined && { ca: pem('ca', ssl.ca) }),
    ...(ssl.cert !== undefined && { cert: pem('cert', ssl.cert) }),
    ...(ssl.key !== undefined && { key: pem('key', ssl.key.reveal()) }),
  };
}

function unpaired(missing: 'cert' | 'key') {
  const message = 'is missing: a client certificate needs both "cert" and "key"';
  return invalidConfig([{ path: `connection.ssl.${missing}`, message }]);
}

function pem(field: string, given: string): string {
  if (given.includes('-----BEGIN')) return given;
  try {
    return readFileSync(given, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw invalidConfig([
      { path: `connection.ssl.${field}`, message: `is neither PEM text nor a readable file (${code})` },
    ]);
  }
}
