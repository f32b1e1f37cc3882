import type { ConnectionOptions } from 'node:tls';
import { durationMs } from '../../core/duration';
import type { Logger } from '../../core/log';
import type { Network } from '../../core/network';
import type { Secret } from '../../core/secret';
import { tlsOf } from '../shared/tls';
import type { CONSISTENCIES, ConnectionConfig } from './config';

/** Where to connect and how, with every default filled in. */
export interface Endpoint {
  readonly hosts: readonly [string, ...string[]];
  readonly port: number;
  readonly dataCenter?: string;
  readonly keyspace: string;
  readonly login?: { readonly username: string; readonly password: Secret };
  /** Absent: no encryption. */
  readonly tls?: ConnectionOptions;
  readonly consistency: (typeof CONSISTENCIES)[number];
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly maxConnections: number;
  readonly log: Logger;
  /** The rules for connecting. */
  readonly network?: Network;
}

const DEFAULT_PORT = 9042;
const DEFAULT_CONNECTIONS = 4;
const DEFAULT_CONNECT_TIMEOUT = '10s';
const DEFAULT_STATEMENT_TIMEOUT = '30s';

/** Fills in defaults. @throws Fault `config`/`invalid_config` */
export function endpointOf(connection: ConnectionConfig, log: Logger, network?: Network): Endpoint {
  const { host, contact_points: contactPoints = [], username, password } = connection;
  const [first = '', ...others] = [...(host === undefined ? [] : [host]), ...contactPoints];
  const tls = tlsOf(connection.ssl ?? false, first, network);
  return {
    hosts: [first, ...others],
    port: connection.port ?? DEFAULT_PORT,
    ...(connection.local_data_center !== undefined && { dataCenter: connection.local_data_center }),
    keyspace: connection.keyspace,
    ...(username !== undefined && password !== undefined && { login: { username, password } }),
    ...(tls && { tls }),
    consistency: connection.consistency ?? 'local_quorum',
    connectTimeoutMs: durationMs(connection.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT),
    statementTimeoutMs: durationMs(connection.statement_timeout ?? DEFAULT_STATEMENT_TIMEOUT),
    maxConnections: connection.max_connections ?? DEFAULT_CONNECTIONS,
    log,
    ...(network && { network }),
  };
}
