import type { ConnectionOptions } from 'node:tls';
import { invalidConfig } from '../../core/config';
import { durationMs } from '../../core/duration';
import type { Network } from '../../core/network';
import { Secret } from '../../core/secret';
import { tlsOf } from '../shared/tls';
import type { ConnectionConfig } from './config';

/** Who logs in, and how. */
export interface Account {
  readonly username: string;
  readonly password: Secret;
  readonly way: 'basic' | 'cookie';
}

/** Where to connect and how, with every default filled in. */
export interface Endpoint {
  /** Without user and password; the path ends with a slash. */
  readonly url: URL;
  readonly account?: Account;
  readonly tls: ConnectionOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  readonly network: Network | undefined;
}

const PORT = 5984;
const TLS_PORT = 6984;
const DEFAULT_CONNECT_TIMEOUT = '10s';
const DEFAULT_REQUEST_TIMEOUT = '60s';
const DEFAULT_CONNECTIONS = 4;

/** Fills in defaults and takes the URL apart. @throws Fault `config`/`invalid_config` */
export function endpointOf(connection: ConnectionConfig, network: Network | undefined): Endpoint {
  const given = connection.url && parseUrl(connection.url);
  const ssl = connection.ssl ?? given?.protocol === 'https:';
  const host = connection.host ?? given?.hostname ?? '';
  const port = connection.port ?? portOf(given, ssl !== false);
  const tls = tlsOf(ssl, host.replace(/^\[|\]$/g, ''), network);
  const account = accountOf(connection, given);
  return {
    url: urlOf(`${tls ? 'https' : 'http'}://${bracketed(host)}:${port}${given?.pathname.replace(/\/*$/, '/') ?? '/'}`),
    ...(account && { account }),
    tls,
    connectTimeoutMs: durationMs(connection.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT),
    requestTimeoutMs: durationMs(connection.request_timeout ?? DEFAULT_REQUEST_TIMEOUT),
    maxConnections: connection.max_connections ?? DEFAULT_CONNECTIONS,
    network,
  };
}

function urlOf(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw invalidConfig([{ path: 'connection.host', message: 'is not the name or address of a server' }]);
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function portOf(given: URL | undefined, encrypted: boolean): number {
  if (given === undefined) return encrypted ? TLS_PORT : PORT;
  if (given.port !== '') return Number(given.port);
  return encrypted ? 443 : 80;
}

function accountOf(connection: ConnectionConfig, given: URL | undefined): Account | undefined {
  const username = connection.username ?? decoded(given?.username);
  const password = connection.password ?? new Secret(decoded(given?.password) ?? '');
  if (username === undefined) return undefined;
  return { username, password, way: connection.login ?? 'basic' };
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidUrl('a percent sign in it is not followed by two hexadecimal digits'); // the parser's message quotes it
  }
}

function parseUrl(secret: Secret): URL {
  const text = secret.reveal();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalidUrl('expected https://username:password@host:port');
  }
  if (url.search !== '' || url.hash !== '') throw invalidUrl('use the fields of "connection" in place of parameters');
  return url;
}

function invalidUrl(message: string) {
  return invalidConfig([{ path: 'connection.url', message }]);
}
