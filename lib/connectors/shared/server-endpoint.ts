import type { ConnectionOptions } from 'node:tls';
import { durationMs } from '../../core/duration';
import type { Network } from '../../core/network';
import type { Secret } from '../../core/secret';
import { invalidUri, type UriForm, uriParts, withoutUndefined } from './connection-uri';
import { type TlsConfig, tlsOf } from './tls';

/** Where to connect and how, with every default filled in. */
export interface ServerEndpoint {
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

interface Place {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly database?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  readonly ssl?: TlsConfig | undefined;
}

/** A connection as it is configured: by a URI, by fields, or by both. */
export interface GivenConnection extends Place {
  readonly uri?: Secret | undefined;
  readonly connect_timeout?: string | undefined;
  readonly statement_timeout?: string | undefined;
  readonly max_connections?: number | undefined;
}

/** What a type of server brings. */
export interface ServerDefaults {
  readonly form: UriForm;
  readonly port: number;
}

const DEFAULT_CONNECTIONS = 4;
const DEFAULT_CONNECT_TIMEOUT = '10s';

/** Fills in defaults and takes the URI apart. @throws Fault `config`/`invalid_config` */
export function serverEndpoint(
  connection: GivenConnection,
  { form, port }: ServerDefaults,
  network: Network | undefined,
): ServerEndpoint {
  const given: Place = connection.uri
    ? { ...uriParts(connection.uri, form), ...withoutUndefined(connection) }
    : connection;
  const { host, database, username } = given;
  if (host === undefined || database === undefined || username === undefined) {
    throw invalidUri('host, database and user name must be in it, or be given beside it');
  }
  const tls = tlsOf(given.ssl ?? false, host, network);
  return {
    host,
    port: given.port ?? port,
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
