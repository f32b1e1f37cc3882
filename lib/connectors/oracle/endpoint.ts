import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { invalidConfig } from '../../core/config';
import { durationMs } from '../../core/duration';
import type { Network } from '../../core/network';
import type { Secret } from '../../core/secret';
import { type TlsConfig, tlsOf } from '../shared/tls';
import type { OracleConfig } from './config';

/** Where to connect and how, with every default filled in. */
export interface Endpoint {
  /** Absent: a descriptor says it. */
  readonly host?: string;
  readonly port: number;
  /** The name of what is connected to, for messages. */
  readonly service: string;
  /** The descriptor to connect by; `addresses` are those of the host, resolved. */
  descriptor(addresses: readonly string[]): string;
  readonly username: string;
  readonly password?: Secret;
  /** Absent: no encryption. */
  readonly tls?: ConnectionOptions;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs?: number;
  readonly maxConnections: number;
  readonly network?: Network;
}

type Connection = OracleConfig['connection'];

const DEFAULT_PORT = 1521;
const DEFAULT_CONNECTIONS = 4;
const DEFAULT_CONNECT_TIMEOUT = '15s';
const WALLET_FILE = 'ewallet.pem';
// What would have the driver read files, or take another way than is looked at here.
const FORBIDDEN =
  /\b(wallet_location|my_wallet_directory|https_proxy|https_proxy_port|(?:ssl|tls)_allow_weak_dn_match)\s*=/i;
const NO_MATCH = /\b(ssl|tls)_server_dn_match\s*=\s*(no|off|false)\b/i;

/** Fills in defaults. @throws Fault `config`/`invalid_config` */
export function endpointOf({ connection }: OracleConfig, network?: Network): Endpoint {
  const { host, password, statement_timeout: statementTimeout } = connection;
  const port = connection.port ?? DEFAULT_PORT;
  const tls = walletIn(connection, tlsOf(tlsConfig(connection), host ?? '', network));
  const service = connection.service_name ?? connection.database;
  return {
    ...(host !== undefined && { host }),
    port,
    service: service ?? connection.sid ?? 'the descriptor',
    descriptor: (addresses) =>
      connection.descriptor ?? written(connection, { addresses, port, isTls: tls !== undefined }),
    username: connection.username,
    ...(password && { password }),
    ...(tls && { tls }),
    connectTimeoutMs: durationMs(connection.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT),
    ...(statementTimeout !== undefined && { statementTimeoutMs: durationMs(statementTimeout) }),
    maxConnections: connection.max_connections ?? DEFAULT_CONNECTIONS,
    ...(network && { network }),
  };
}

function written(
  { sid, service_name: name, database }: Connection,
  { addresses, port, isTls }: { readonly addresses: readonly string[]; readonly port: number; readonly isTls: boolean },
): string {
  const list = addresses.map((one) => `(ADDRESS=(PROTOCOL=${isTls ? 'TCPS' : 'TCP'})(HOST=${one})(PORT=${port}))`);
  const service = sid === undefined ? `(SERVICE_NAME=${name ?? database})` : `(SID=${sid})`;
  return `(DESCRIPTION=(ADDRESS_LIST=${list.join('')})(CONNECT_DATA=${service}))`;
}

function tlsConfig({ descriptor, ssl, wallet }: Connection): TlsConfig {
  if (descriptor === undefined) return ssl ?? wallet !== undefined;
  const [, forbidden] = FORBIDDEN.exec(descriptor) ?? [];
  if (forbidden !== undefined) throw invalid('descriptor', `must not say ${forbidden}; use the fields of "connection"`);
  if (NO_MATCH.test(descriptor)) {
    throw invalid('descriptor', 'must not turn off SSL_SERVER_DN_MATCH; say so by "ssl": {"verification": "ca"}');
  }
  const protocols = [...descriptor.matchAll(/\bprotocol\s*=\s*(\w+)/gi)].map(([, name]) => (name ?? '').toUpperCase());
  const encrypted = protocols.filter((name) => name === 'TCPS');
  if (protocols.length === 0 || protocols.some((name) => name !== 'TCP' && name !== 'TCPS')) {
    throw invalid('descriptor', 'must name the protocol of each address, TCP or TCPS');
  }
  if (encrypted.length > 0 && encrypted.length < protocols.length) {
    throw invalid('descriptor', 'has addresses with encryption and without');
  }
  if (encrypted.length === 0 && (wallet !== undefined || (ssl !== undefined && ssl !== false))) {
    throw invalid('ssl', 'cannot be, as the addresses of "descriptor" are not encrypted: write TCPS');
  }
  if (encrypted.length > 0 && ssl === false) throw invalid('ssl', 'is false, though "descriptor" says TCPS');
  return encrypted.length > 0 && (ssl ?? true);
}

function walletIn({ wallet, wallet_password: password, ssl }: Connection, tls: ConnectionOptions | undefined) {
  if (wallet === undefined) {
    if (password !== undefined) throw invalid('wallet_password', 'is of no use without "wallet"');
    return tls;
  }
  if (tls === undefined) throw invalid('ssl', 'is false, though there is a wallet');
  if (typeof ssl === 'object' && (ssl.ca ?? ssl.cert ?? ssl.key) !== undefined) {
    throw invalid('wallet', 'is in the place of "ssl.ca", "ssl.cert" and "ssl.key": give one or the other');
  }
  const pem = walletPem(wallet);
  const client = pem.includes('PRIVATE KEY-----') && { cert: pem, key: pem };
  return { ...tls, ca: pem, ...client, ...(password && { passphrase: password.reveal() }) };
}

function walletPem(wallet: string): string {
  if (wallet.includes('-----BEGIN')) return wallet;
  try {
    return readFileSync(statSync(wallet).isDirectory() ? join(wallet, WALLET_FILE) : wallet, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw invalid('wallet', `is neither PEM text, nor a readable ${WALLET_FILE} or a folder with one (${code})`);
  }
}

function invalid(field: string, message: string) {
  return invalidConfig([{ path: `connection.${field}`, message }]);
}
