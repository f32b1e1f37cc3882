import { isIP, type LookupFunction, Socket } from 'node:net';
import { Fault } from '../../../core/fault';
import type { Network } from '../../../core/network';
import { refusedAddress } from './post';

/** Where to connect. */
export interface RuledSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly network: Network;
  readonly timeoutMs: number;
  /** For messages: "sending an email". */
  readonly doing: string;
}

/** Connects to an address that the rules of the network allow. @throws Fault */
export function ruledSocket(options: RuledSocketOptions): Promise<Socket> {
  const { host, port, network, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const socket = new Socket();
    const timer = setTimeout(() => fail({ code: 'ETIMEDOUT' }), timeoutMs);
    const fail = (error: { readonly code?: string }) => {
      clearTimeout(timer);
      socket.destroy();
      reject(faultOf(error, options));
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
    try {
      // Only names are looked up.
      if (isIP(host) !== 0) network.check(host, host);
      socket.connect({ host, port, lookup: network.lookup as LookupFunction });
    } catch (error) {
      fail(error as Fault);
    }
  });
}

function faultOf({ code }: { readonly code?: string }, { doing }: RuledSocketOptions): Fault {
  if (code === 'address_refused') return refusedAddress(doing, 'the URL of the mail server');
  const hint = 'Check host and port of the mail server, and the firewall.';
  return new Fault('transient', 'unreachable', `${doing}: ${code ?? 'the connection failed'}`, { hint });
}
