import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Fault } from '../../../core/fault';
import type { Network } from '../../../core/network';
import { isLoopback, type Outcome, resolveStep, type Step } from '../check-steps';
import { ruledSocket } from '../ruled-socket';

/** A server that speaks HTTP. */
export interface Reachable {
  readonly url: URL;
  readonly tls: ConnectionOptions | undefined;
  readonly network: Network | undefined;
  readonly connectTimeoutMs: number;
  /** Where the address is configured: `connection.url`. */
  readonly field: string;
}

/** The steps from the name of a server to an encrypted connection. */
export interface ReachSteps {
  readonly steps: readonly Step[];
  /** Ends whatever they wait for. */
  stop(): void;
}

/** The host of a URL as a socket wants it. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Resolves, connects and encrypts, as a request does. */
export function reachSteps(server: Reachable): ReachSteps {
  const host = hostOf(server.url);
  let socket: Socket | undefined;
  const connect = async () => {
    socket = await openSocket(server, host);
    return `${host}:${portOf(server.url)} answers`;
  };
  const encrypt = async () => {
    if (socket === undefined) throw new Fault('bug', 'no_socket', 'nothing is connected');
    try {
      return await encrypted(server, host, socket);
    } finally {
      socket.destroy();
    }
  };
  return {
    steps: [resolveStep(host, server.network), { name: 'connect', run: connect }, { name: 'tls', run: encrypt }],
    stop: () => void socket?.destroy(),
  };
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

async function openSocket({ url, network, connectTimeoutMs }: Reachable, host: string): Promise<Socket> {
  const socket = ruledSocket(network);
  socket.on('error', () => undefined); // between two steps nobody waits for it; the next step finds it closed
  const timer = setTimeout(() => socket.destroy(timedOut(host)), connectTimeoutMs);
  try {
    socket.connect(portOf(url), host);
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(host: string): Fault {
  return new Fault('transient', 'connect_timeout', `no answer from ${host}`, {
    hint: 'Check host and port, and that a firewall lets this machine through.',
  });
}

async function encrypted({ tls, field, connectTimeoutMs }: Reachable, host: string, socket: Socket): Promise<Outcome> {
  if (tls === undefined) {
    if (isLoopback(socket.remoteAddress)) return 'not used; this is the same machine';
    return { warning: 'the connection is not encrypted', hint: `Begin ${field} with https://.` };
  }
  const secure = await shakeHands(tls, host, socket, connectTimeoutMs);
  const verified = tls.rejectUnauthorized !== false;
  const found = `${secure.getProtocol() ?? 'TLS'}${verified ? ', certificate verified' : ''}`;
  secure.destroy();
  if (verified) return found;
  return {
    warning: `${found}; the server is not verified`,
    hint: 'Let the certificate be verified: see connection and network_security.ssl_verification.',
  };
}

async function shakeHands(tls: ConnectionOptions, host: string, socket: Socket, timeoutMs: number): Promise<TLSSocket> {
  const secure = connectTls({ ...(isIP(host) === 0 && { servername: host }), ...tls, socket, host });
  const timer = setTimeout(() => secure.destroy(timedOut(host)), timeoutMs);
  try {
    await once(secure, 'secureConnect');
    return secure;
  } finally {
    clearTimeout(timer);
  }
}
