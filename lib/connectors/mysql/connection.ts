import { once } from 'node:events';
import type { Socket } from 'node:net';
import mysql, { type Connection } from 'mysql2';
import { Fault } from '../../core/fault';
import { ruledSocket } from '../shared/ruled-socket';
import type { Endpoint } from './endpoint';

const PROGRAM = 'explorerio';
// The connections of a snapshot are idle for long; what lies between forgets such ones after a few minutes.
const KEEP_ALIVE_MS = 60_000;

/** Connects and logs in, by `socket` or a new one. Rejects with the driver's error. */
export async function connect(endpoint: Endpoint, socket?: Socket): Promise<Connection> {
  const { host, username, database, tls, freshPassword } = endpoint;
  const password = freshPassword ? await freshPassword() : endpoint.password;
  const connection = mysql.createConnection({
    // The name that the certificate must be for; the socket knows where it goes.
    host: tls?.servername ?? host,
    user: username,
    password: password?.reveal() ?? '',
    database,
    charset: 'utf8mb4',
    connectTimeout: endpoint.connectTimeoutMs,
    connectAttributes: { program_name: PROGRAM },
    stream: () => socket ?? openSocket(endpoint),
    disableEval: true,
    // How such a password is asked for; over an encrypted connection only.
    enableCleartextPlugin: freshPassword !== undefined && tls !== undefined,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    ...(tls && { ssl: tlsOf(endpoint) }),
  } as mysql.ConnectionOptions);
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) => {
      reject(explained(withTlsCode(error, connection), endpoint));
      connection.destroy();
    };
    connection.once('error', failed);
    connection.connect((error) => {
      if (error) return failed(error);
      connection.off('error', failed);
      resolve();
    });
  });
  return connection;
}

/** A socket on its way to the server. */
export function openSocket({ host, port, network }: Endpoint) {
  const socket = ruledSocket(network);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  if (host.startsWith('/')) return socket.connect(host);
  // Node checks the certificate against this where the driver gives no name, as for an address.
  Object.assign(socket, { _host: host });
  return socket.connect(port, host);
}

/** Opens the TCP (or Unix) connection alone. */
export async function connectedSocket(endpoint: Endpoint): Promise<Socket> {
  const socket = openSocket(endpoint);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(endpoint.connectTimeoutMs) });
    return socket;
  } catch (error) {
    socket.destroy();
    throw (error as Error).name === 'AbortError' ? timedOut(endpoint, error) : error;
  }
}

function timedOut({ host, port }: Endpoint, cause: unknown): Fault {
  return new Fault('transient', 'connect_timeout', `no answer from ${host}:${port}`, {
    hint: 'Check host and port, and that a firewall lets this machine through.',
    cause,
  });
}

function tlsOf({ tls = {} }: Endpoint) {
  const { rejectUnauthorized, ca, cert, key, servername, checkServerIdentity } = tls;
  const verifyIdentity =
    rejectUnauthorized !== false && (servername !== undefined || checkServerIdentity === undefined);
  return { rejectUnauthorized, verifyIdentity, ...(ca && { ca }), ...(cert && { cert, key }) };
}

/** The driver puts a code of its own in the place of the one that says what is wrong. */
function withTlsCode(error: Error, connection: Connection): Error {
  const { code, reason } = error as { code?: unknown; reason?: string };
  if (code !== 'HANDSHAKE_SSL_ERROR') return error;
  const { authorizationError } = (connection as unknown as { stream: { authorizationError?: unknown } }).stream;
  const openssl = reason && `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
  return Object.assign(error, {
    code: authorizationError ? String(authorizationError) : (openssl ?? 'ERR_SSL_UNKNOWN'),
  });
}

function explained(error: Error, endpoint: Endpoint): unknown {
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  if (code === 'ETIMEDOUT') return timedOut(endpoint, error);
  const isGiven = endpoint.password !== undefined || endpoint.freshPassword !== undefined;
  if (errno !== ACCESS_DENIED || isGiven) return error;
  return new Fault('config', 'password_required', 'the server asks for a password, and none is configured', {
    hint: 'Set connection.password, for instance to "${DB_PASSWORD}".',
    cause: error,
  });
}

const ACCESS_DENIED = 1045;
