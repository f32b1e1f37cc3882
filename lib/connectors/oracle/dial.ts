import type { Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { TransportAddress } from 'oracledb/lib/thin/sqlnet/ntTcp.js';
import { Fault } from '../../core/fault';
import { ruledSocket } from '../shared/ruled-socket';
import type { Dial, Expected } from './driver';
import type { Endpoint } from './endpoint';

const DEFAULT_PORT = 1521;

/** Connects by the rules for connections, and verifies who answers. */
export class EndpointDial implements Dial {
  readonly endpoint: Endpoint;
  /** The newest socket, in the end that of the connection; where it is encrypted, what encrypts it. */
  socket: Socket | undefined;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  open({ host, hostname, port, protocol }: TransportAddress, proxy: string | undefined): Socket {
    const { tls, network } = this.endpoint;
    if (proxy !== undefined) throw refused(`by the proxy ${proxy}, which is not supported`);
    if (tls !== undefined && protocol.toUpperCase() !== 'TCPS') {
      throw refused(`to ${hostname} without encryption, though the connection is to be encrypted`);
    }
    const socket = ruledSocket(network);
    this.socket = socket;
    return socket.connect(port ?? DEFAULT_PORT, host);
  }

  encrypt(plain: Socket, expected: Expected): TLSSocket {
    const { tls, host } = this.endpoint;
    const socket = connectTls({
      ...tls,
      socket: plain,
      checkServerIdentity: (name, certificate) => {
        if (expected.isAsked) return expected.isAsked(certificate);
        if (tls?.checkServerIdentity) return tls.checkServerIdentity(name, certificate);
        // Who has been verified may send on to a server under another name. Else a name counts, not the address it has now.
        const sentTo = expected.from === undefined ? [] : [expected.host];
        return identityOf([host ?? expected.from ?? expected.host, ...sentTo], certificate);
      },
    });
    this.socket = socket;
    return socket;
  }
}

function refused(where: string): Fault {
  return new Fault('config', 'redirect_refused', `the listener or the descriptor asks to connect ${where}`, {
    hint: 'Connect to a listener that hands over by itself, or to the server that it sends to.',
  });
}

function identityOf(names: readonly string[], certificate: PeerCertificate): Error | undefined {
  const problems = names.map((name) => checkServerIdentity(name, certificate));
  return problems.includes(undefined) ? undefined : problems[0];
}
