import { lookup } from 'node:dns';
import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import type { Connection } from 'oracledb';
import { Fault } from '../../core/fault';
import type { FoundAddress } from '../../core/network';
import { ruledSocket } from '../shared/ruled-socket';
import { within } from '../shared/within';
import { EndpointDial } from './dial';
import { dialling, oracledb } from './driver';
import type { Endpoint } from './endpoint';

/** A connection that is logged in, and its way. */
export interface Connected {
  readonly connection: Connection;
  readonly dial: EndpointDial;
}

const PROGRAM = 'explorerio';

/** Connects and logs in. Rejects with the driver's error. */
export async function connect(endpoint: Endpoint): Promise<Connected> {
  const dial = new EndpointDial(endpoint);
  const opening = open(dial);
  if (await within(endpoint.connectTimeoutMs, opening)) return { connection: await opening, dial };
  dial.socket?.destroy();
  opening.then(
    (connection) => connection.close().catch(() => undefined), // too late to be of use
    () => undefined, // it failed as well; that it is late has been reported
  );
  throw timedOut(endpoint);
}

async function open(dial: EndpointDial): Promise<Connection> {
  const { endpoint } = dial;
  const connectString = endpoint.descriptor(await addressesOf(endpoint));
  return dialling.run(dial, () =>
    oracledb.getConnection({
      user: endpoint.username,
      password: endpoint.password?.reveal() ?? '',
      connectString,
      program: PROGRAM,
      transportConnectTimeout: Math.ceil(endpoint.connectTimeoutMs / 1000),
    }),
  );
}

// The driver would ask by itself, whatever the rules say.
async function addressesOf({ host, network }: Endpoint): Promise<readonly string[]> {
  if (host === undefined || isIP(host) > 0) return host === undefined ? [] : [host];
  const found = await new Promise<readonly FoundAddress[]>((resolve, reject) => {
    const done = (error: Error | null, addresses: string | FoundAddress[]) =>
      error ? reject(error) : resolve(typeof addresses === 'string' ? [] : addresses);
    if (network) network.lookup(host, { all: true }, done);
    else lookup(host, { all: true }, done);
  });
  return found.map(({ address }) => address);
}

/** A socket that is connected to the listener. */
export async function connectedSocket(endpoint: Endpoint, host: string): Promise<Socket> {
  const socket = ruledSocket(endpoint.network);
  try {
    const connected = once(socket, 'connect', { signal: AbortSignal.timeout(endpoint.connectTimeoutMs) });
    socket.connect(endpoint.port, host);
    await connected;
    return socket;
  } catch (error) {
    socket.destroy();
    throw (error as Error).name === 'AbortError' ? timedOut(endpoint, error) : error;
  }
}

function timedOut({ host, port, service }: Endpoint, cause?: unknown): Fault {
  const place = host === undefined ? service : `${host}:${port}`;
  return new Fault('transient', 'connect_timeout', `no answer from ${place}`, {
    hint: 'Check host and port, and that a firewall lets this machine through.',
    cause,
  });
}
