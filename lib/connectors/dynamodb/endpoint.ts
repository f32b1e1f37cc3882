import type { ConnectionOptions } from 'node:tls';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { invalidConfig } from '../../core/config';
import { durationMs } from '../../core/duration';
import type { Network } from '../../core/network';
import type { Secret } from '../../core/secret';
import type { DynamodbConfig } from './config';

/** Keys to sign with. */
export interface Keys {
  readonly id: string;
  readonly secret: Secret;
  readonly session?: Secret;
}

/** A role to take on, and where. */
export interface Role {
  readonly arn: string;
  readonly externalId?: string;
  /** Of STS. */
  readonly url: URL;
}

/** Where to connect and how, with every default filled in. */
export interface Endpoint {
  readonly url: URL;
  readonly region: string;
  /** Absent: those of the process. */
  readonly keys?: Keys;
  readonly role?: Role;
  readonly tls: ConnectionOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  readonly network: Network | undefined;
}

const DEFAULT_CONNECT_TIMEOUT = '5s';
const DEFAULT_REQUEST_TIMEOUT = '30s';
const DEFAULT_CONNECTIONS = 4;

/** Fills in defaults. @throws Fault `config`/`invalid_config` */
export function endpointOf({ connection }: DynamodbConfig, network: Network | undefined): Endpoint {
  const { region, access_key_id: id, secret_access_key: secret, session_token: session } = connection;
  const url = connection.endpoint === undefined ? publicUrl(region) : new URL(connection.endpoint);
  const role = roleOf(connection, network);
  return {
    url,
    region,
    ...(id !== undefined && secret !== undefined && { keys: { id, secret, ...(session && { session }) } }),
    ...(role && { role }),
    tls: tlsOf(url, 'endpoint', network),
    connectTimeoutMs: durationMs(connection.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT),
    requestTimeoutMs: durationMs(connection.request_timeout ?? DEFAULT_REQUEST_TIMEOUT),
    maxConnections: connection.max_connections ?? DEFAULT_CONNECTIONS,
    network,
  };
}

// Asked for by itself, so that AWS_ENDPOINT_URL, which may be that of the home's own services, does not count.
function publicUrl(region: string): URL {
  const client = new DynamoDBClient({ region });
  const { url } = client.config.endpointProvider({ Region: region, UseDualStack: false, UseFIPS: false });
  client.destroy();
  return url;
}

function roleOf({ region, role }: DynamodbConfig['connection'], network: Network | undefined): Role | undefined {
  if (role === undefined) return undefined;
  const suffix = region.startsWith('cn-') ? '.cn' : '';
  const url = new URL(role.endpoint ?? `https://sts.${region}.amazonaws.com${suffix}/`);
  tlsOf(url, 'role.endpoint', network);
  return { arn: role.arn, url, ...(role.external_id !== undefined && { externalId: role.external_id }) };
}

function tlsOf({ protocol }: URL, field: string, network: Network | undefined): ConnectionOptions | undefined {
  if (protocol === 'https:') return { rejectUnauthorized: network?.verifyTls !== false };
  if (network?.requireTls) {
    const message = 'network_security.require_ssl asks for encryption; begin it with https://';
    throw invalidConfig([{ path: `connection.${field}`, message }]);
  }
  return undefined;
}
