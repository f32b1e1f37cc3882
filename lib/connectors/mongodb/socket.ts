import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Fault } from '../../core/fault';
import { ruledSocket } from '../shared/ruled-socket';
import type { Endpoint } from './endpoint';
import type { HostPort } from './uri';

/** Opens the TCP connection alone, under the rules of the network. */
export function openSocket(endpoint: Endpoint, { host, port }: HostPort): Promise<Socket> {
  const { network, connectTimeoutMs } = endpoint;
  return new Promise((resolve, reject) => {
    const socket = ruledSocket(network);
    socket.connect(port, host);
    const timer = setTimeout(() => fail(timedOut(host, port)), connectTimeoutMs);
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

function timedOut(host: string, port: number): Fault {
  return new Fault('transient', 'connect_timeout', `no answer from ${host}:${port}`, {
    hint: 'Check host and port, and that a firewall lets this machine through.',
  });
}

/** Shakes hands for TLS, as the driver does. */
export function encrypt({ tls }: Endpoint, socket: Socket, host: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = connectTls({ ...tls, socket, host, ...(isIP(host) === 0 && { servername: host }) });
    secure.once('error', reject);
    secure.once('secureConnect', () => {
      secure.off('error', reject);
      resolve(secure);
    });
  });
}
