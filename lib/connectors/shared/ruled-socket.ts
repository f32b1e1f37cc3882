import { isIP, Socket } from 'node:net';
import type { Network } from '../../core/network';

/** A socket for a driver that connects it itself: under the rules of the network. */
export function ruledSocket(network: Network | undefined): Socket {
  const socket = new Socket();
  if (network === undefined) return socket;
  const { lookup } = network;
  const open = socket.connect.bind(socket) as (options: object) => Socket;
  const connect = (port: unknown, host?: unknown): Socket => {
    // By a Unix socket's path no address is reached.
    if (typeof host !== 'string') return open({ path: String(port) });
    if (isIP(host) === 0) return open({ port, host, lookup });
    try {
      network.check(host, host);
    } catch (error) {
      return socket.destroy(error as Error);
    }
    return open({ port, host });
  };
  return Object.assign(socket, { connect });
}
