import type { ConnectionOptions } from 'node:tls';
import { invalidConfig } from '../../core/config';
import { durationMs } from '../../core/duration';
import type { Network } from '../../core/network';
import type { Secret } from '../../core/secret';
import { tlsOf } from '../shared/tls';
import type { ConnectionConfig } from './config';
import { DEFAULT_PORT, type HostPort, invalidUri, parseHost, parseUri, type UriParts } from './uri';

/** Where to connect and how, with every default filled in. */
export interface Endpoint {
  /** Empty where `service` is given. */
  readonly hosts: readonly HostPort[];
  /** The name under which the name service lists the servers. */
  readonly service?: string;
  readonly database: string;
  readonly username?: string;
  readonly password?: Secret;
  readonly authDatabase: string;
  readonly authMechanism?: NonNullable<ConnectionConfig['auth_mechanism']>;
  readonly replicaSet?: string;
  readonly direct: boolean;
  readonly readPreference: NonNullable<ConnectionConfig['read_preference']>;
  /** Absent: no encryption. */
  readonly tls?: ConnectionOptions;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs?: number;
  readonly maxConnections: number;
  /** The rules for connecting. */
  readonly network?: Network;
}

// The user is in no database of the server.
const EXTERNAL = new Set<ConnectionConfig['auth_mechanism']>(['MONGODB-X509', 'PLAIN']);
const DEFAULT_CONNECTIONS = 4;
const DEFAULT_CONNECT_TIMEOUT = '10s';

/** Fills in defaults and takes the URI apart. @throws Fault `config`/`invalid_config` */
export function endpointOf(connection: ConnectionConfig, network?: Network): Endpoint {
  const given = { ...(connection.uri && parseUri(connection.uri)), ...withoutUndefined(fieldsOf(connection)) };
  const { database, service, hosts = [] } = given;
  if (database === undefined) throw invalidUri('it must name the database, or connection.database must');
  const tls = tlsOf(given.ssl ?? false, service ?? hosts[0]?.host ?? '', network);
  return {
    hosts,
    ...(service !== undefined && hosts.length === 0 && { service }),
    database,
    ...login(given),
    authDatabase: given.auth_database ?? (EXTERNAL.has(given.auth_mechanism) ? '$external' : 'admin'),
    ...(given.auth_mechanism && { authMechanism: given.auth_mechanism }),
    ...(given.replica_set !== undefined && { replicaSet: given.replica_set }),
    direct: given.direct ?? false,
    readPreference: given.read_preference ?? 'primary',
    ...(tls && { tls }),
    applicationName: given.application_name ?? 'explorerio',
    connectTimeoutMs: durationMs(connection.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT),
    ...(connection.statement_timeout && { statementTimeoutMs: durationMs(connection.statement_timeout) }),
    maxConnections: connection.max_connections ?? DEFAULT_CONNECTIONS,
    ...(network && { network }),
  };
}

function login({ username, password }: UriParts): Pick<Endpoint, 'username' | 'password'> {
  if (password !== undefined && username === undefined) {
    throw invalidConfig([{ path: 'connection.username', message: 'is missing beside the password' }]);
  }
  return { ...(username !== undefined && { username }), ...(password && { password }) };
}

/** The fields beside the URI, in its words. */
function fieldsOf(connection: ConnectionConfig): { [P in keyof UriParts]?: UriParts[P] | undefined } {
  const { host, port, hosts, uri: _uri, ...others } = connection;
  const listed = hosts?.map((text, index) => parseHost(text, `connection.hosts[${index}]`));
  const single = host === undefined ? undefined : [{ host, port: port ?? DEFAULT_PORT }];
  return { ...others, hosts: single ?? listed };
}

function withoutUndefined<T extends object>(value: T): { [P in keyof T]: NonNullable<T[P]> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [P in keyof T]: NonNullable<T[P]>;
  };
}
