import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Route } from '../../core/network';

const ANY_PORT = 9;

/** How this machine would reach an address; `undefined` when it has no route to it. Nothing is sent. */
export function findRoute(address: string): Promise<Route | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const end = (route: Route | undefined) => {
      socket.close();
      resolve(route);
    };
    socket.once('error', () => end(undefined)); // ENETUNREACH and the like: that is the answer
    socket.once('connect', () => {
      const from = socket.address().address;
      end({ from, by: interfaceOf(from) ?? 'an interface without a name' });
    });
    socket.connect(ANY_PORT, address);
  });
}

function interfaceOf(address: string): string | undefined {
  const plain = address.replace(/%.*$/, '');
  const found = Object.entries(networkInterfaces()).find(([, own]) => own?.some((one) => one.address === plain));
  return found?.[0];
}
