import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Fault } from '../../core/fault';
import { ruledSocket } from '../shared/ruled-socket';
import type { Endpoint } from './endpoint';

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const SSL_ACCEPTED = 0x53;

/** Opens the TCP (or Unix) connection alone. */
export function openSocket(endpoint: Endpoint): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = endpoint;
    const socket = ruledSocket(endpoint.network);
    if (host.startsWith('/')) socket.connect(`${host}/.s.PGSQL.${port}`);
    else socket.connect(port, host);
    const timer = setTimeout(() => fail(timedOut(endpoint)), endpoint.connectTimeoutMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

function timedOut(endpoint: Endpoint): Fault {
  return new Fault('transient', 'connect_timeout', `no answer from ${endpoint.host}:${endpoint.port}`, {
    hint: 'Check host and port, and that a firewall lets this machine through.',
  });
}

/** Asks the server for TLS and shakes hands, as the driver does. */
export async function encrypt(endpoint: Endpoint, socket: Socket): Promise<TLSSocket> {
  if ((await askForTls(socket)) !== SSL_ACCEPTED) {
    throw new Fault('config', 'tls_not_offered', 'the server does not offer TLS', {
      hint: 'Turn TLS on at the server, or set connection.ssl to false if the network itself is safe.',
    });
  }
  return new Promise((resolve, reject) => {
    const secure = connectTls({
      ...endpoint.tls,
      socket,
      host: endpoint.host,
      ...(isIP(endpoint.host) === 0 && { servername: endpoint.host }),
    });
    secure.once('error', reject);
    secure.once('secureConnect', () => {
      secure.off('error', reject);
      resolve(secure);
    });
  });
}

/** Asks whether the server speaks TLS; gives its answer, or nothing where it closes. */
export function askForTls(socket: Socket): Promise<number | undefined> {
  socket.write(SSL_REQUEST);
  return firstByte(socket);
}

function firstByte(socket: Socket): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => resolve(undefined));
    socket.once('data', (data: Buffer) => {
      socket.off('error', reject);
      resolve(data[0]);
    });
  });
}
