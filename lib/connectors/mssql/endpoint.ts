import type { ConnectionOptions } from 'node:tls';
import { invalidConfig } from '../../core/config';
import { durationMs } from '../../core/duration';
import type { Network } from '../../core/network';
import type { Secret } from '../../core/secret';
import { type TlsConfig, tlsOf } from '../shared/tls';
import type { MssqlConfig } from './config';

/** Where to connect and how, with every default filled in. */
export interface Endpoint {
  readonly host: string;
  /** Absent: that of `instance` is asked for. */
  readonly port?: number;
  readonly instance?: string;
  readonly database: string;
  readonly username: string;
  readonly password?: Secret;
  readonly accessToken?: Secret;
  /** Absent: no encryption. */
  readonly tls?: ConnectionOptions;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly maxConnections: number;
  readonly network?: Network;
}

const DEFAULT_PORT = 1433;
const DEFAULT_CONNECTIONS = 4;
const DEFAULT_CONNECT_TIMEOUT = '15s';

/** Fills in defaults. @throws Fault `config`/`invalid_config` */
export function endpointOf({ connection }: MssqlConfig, network?: Network): Endpoint {
  const { instance, password, access_token: accessToken, statement_timeout: statementTimeout } = connection;
  const host = connection.server ?? connection.host ?? '';
  const named = instance !== undefined && connection.port === undefined;
  if (named && network !== undefined) {
    throw invalid('instance', 'is asked for by UDP, which the rules for connections do not cover; give "port" instead');
  }
  const tls = tlsOf(tlsConfig(connection), host, network);
  return {
    host,
    ...(named ? { instance } : { port: connection.port ?? DEFAULT_PORT }),
    database: connection.database,
    username: connection.username ?? '',
    ...(password && { password }),
    ...(accessToken && { accessToken }),
    ...(tls && { tls }),
    connectTimeoutMs: durationMs(connection.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT),
    statementTimeoutMs: statementTimeout === undefined ? 0 : durationMs(statementTimeout),
    maxConnections: connection.max_connections ?? DEFAULT_CONNECTIONS,
    ...(network && { network }),
  };
}

function tlsConfig({ encrypt = true, trust_server_certificate: trust, ssl }: MssqlConfig['connection']): TlsConfig {
  if (ssl?.verification === 'ca') {
    throw invalid('ssl.verification', 'is "full" or "off" here: the driver cannot verify the chain alone');
  }
  if (!encrypt) {
    if (ssl) throw invalid('encrypt', 'is false, though "ssl" says how to encrypt');
    return false;
  }
  if (trust === undefined) return ssl ?? true;
  if (ssl?.verification !== undefined)
    throw invalid('trust_server_certificate', 'is said by "ssl.verification" as well');
  return { ...ssl, verification: trust ? 'off' : 'full' };
}

function invalid(field: string, message: string) {
  return invalidConfig([{ path: `connection.${field}`, message }]);
}
