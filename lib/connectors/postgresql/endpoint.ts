import type { ConnectionOptions } from 'node:tls';
import { durationMs } from '../../core/duration';
import type { Network } from '../../core/network';
import type { Secret } from '../../core/secret';
import { invalidUri, type UriForm, uriParts, withoutUndefined } from '../shared/connection-uri';
import { type TlsConfig, tlsOf } from '../shared/tls';
import type { ConnectionConfig } from './config';

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

const URI_FORM: UriForm = {
  protocols: ['postgres:', 'postgresql:'],
  beginning: 'postgresql://',
  example: 'postgresql://username:password@host:port/database',
  encryption: {
    parameter: 'sslmode',
    normalised: (mode) => mode,
    modes: new Map<string, TlsConfig>([
      ['disable', false],
      ['verify-full', true],
      ['verify-ca', { verification: 'ca' }],
    ]),
    best: 'verify-full',
  },
};

type Given = Partial<Pick<ConnectionConfig, 'host' | 'port' | 'database' | 'username' | 'password' | 'ssl'>>;

/** Fills in defaults and takes the URI apart. @throws Fault `config`/`invalid_config` */
export function endpointOf(connection: ConnectionConfig, network?: Network): Endpoint {
  const given: Given = connection.uri
    ? { ...uriParts(connection.uri, URI_FORM), ...withoutUndefined(connection) }
    : connection;
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
    applicationName: connection.application_name ?? 'explorerio',
    connectTimeoutMs: durationMs(connection.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT),
    ...(connection.statement_timeout && { statementTimeoutMs: durationMs(connection.statement_timeout) }),
    maxConnections: connection.max_connections ?? DEFAULT_CONNECTIONS,
    ...(network && { network }),
  };
}
