import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Connection, type ConnectionConfiguration } from 'tedious';
import { Fault } from '../../core/fault';
import { ruledSocket } from '../shared/ruled-socket';
import type { Endpoint } from './endpoint';

interface Target {
  readonly host: string;
  readonly port: number;
}

/** Told of each socket that is connected; the last one is in use. */
type OnSocket = (socket: Socket) => void;

const PROGRAM = 'explorerio';
const CANCEL_TIMEOUT_MS = 3000;
// What lies between forgets an idle connection after a few minutes.
const KEEP_ALIVE_MS = 60_000;
// The largest that the server sends; more than that is one value of 2 GB.
const LARGEST_VALUE = 2_147_483_647;

/** Connects and logs in; `onSocket` is told by which socket. Rejects with the driver's error. */
export async function connect(endpoint: Endpoint, onSocket: OnSocket = () => undefined): Promise<Connection> {
  const connection = new Connection(configurationOf(endpoint, onSocket));
  connection.on('error', () => undefined); // whoever waits is told by the callback
  let refusal: number | undefined;
  const refused = ({ number }: { readonly number: number }) => {
    refusal ??= number;
  };
  connection.on('errorMessage', refused);
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => {
      connection.off('errorMessage', refused);
      if (!error) return resolve();
      connection.close();
      reject(rootOf(error, refusal));
    });
  });
  return connection;
}

function configurationOf(endpoint: Endpoint, onSocket: OnSocket): ConnectionConfiguration {
  const { host, port, instance, database, username, password, accessToken, tls } = endpoint;
  const { ca, cert, key, servername } = tls ?? {};
  return {
    server: host,
    authentication: accessToken
      ? { type: 'azure-active-directory-access-token', options: { token: accessToken.reveal() } }
      : { type: 'default', options: { userName: username, password: password?.reveal() ?? '' } },
    options: {
      ...(port !== undefined ? { port } : { instanceName: instance }),
      database,
      appName: PROGRAM,
      encrypt: tls !== undefined,
      trustServerCertificate: tls?.rejectUnauthorized === false,
      ...(servername !== undefined && { serverName: servername }),
      cryptoCredentialsDetails: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
      // The driver tells where to: after a redirection it is another server.
      connector: (async (target: Target) => {
        const socket = await connectedSocket(endpoint, target);
        onSocket(socket);
        return socket;
      }) as () => Promise<Socket>,
      connectTimeout: endpoint.connectTimeoutMs,
      requestTimeout: endpoint.statementTimeoutMs,
      cancelTimeout: CANCEL_TIMEOUT_MS,
      // The engine tries again, and says so.
      maxRetriesOnTransientErrors: 0,
      readOnlyIntent: true,
      textsize: LARGEST_VALUE,
      useUTC: true,
      rowCollectionOnRequestCompletion: false,
    },
  };
}

/** A socket that is connected to the server. */
export async function connectedSocket(endpoint: Endpoint, { host, port }: Target): Promise<Socket> {
  const socket = ruledSocket(endpoint.network);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  try {
    const connected = once(socket, 'connect', { signal: AbortSignal.timeout(endpoint.connectTimeoutMs) });
    socket.connect(port, host);
    await connected;
    return socket;
  } catch (error) {
    socket.destroy();
    if ((error as Error).name !== 'AbortError') throw error;
    throw new Fault('transient', 'connect_timeout', `no answer from ${host}:${port}`, {
      hint: 'Check server and port, and that a firewall lets this machine through.',
      cause: error,
    });
  }
}

/** The driver puts codes of its own in the place of those that say what is wrong, and leaves the server's number out. */
function rootOf(error: Error, refusal: number | undefined): unknown {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (code === 'ELOGIN') return Object.assign(error, { number: refusal });
  return code === 'ESOCKET' && typeof cause === 'object' && cause !== null ? cause : error;
}
