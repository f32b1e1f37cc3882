import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { type AddressInfo, BlockList, isIPv6 } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Fault } from '../../core/fault';
import type { Secret } from '../../core/secret';

/** What is served, and where. */
export interface ServeOptions {
  /** The API, as `createApi` makes it. */
  readonly app: { fetch(request: Request, environment?: unknown): Response | Promise<Response> };
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The key that the API asks for; without it only loopback addresses are served. */
  readonly apiKey?: Secret;
}

/** A server that listens. */
export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, waits for those that are open at most `deadlineMs`, then cuts them off. */
  stop(deadlineMs?: number): Promise<void>;
}

const STOP_MS = 5000;
const SWEEP_MS = 50;
const LARGEST_BACKLOG = 1024;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Who sent a request, for the API's rate limit: the address of the other end of the connection. */
export function remoteAddress(environment: unknown): string | undefined {
  return (environment as { incoming?: IncomingMessage } | undefined)?.incoming?.socket.remoteAddress;
}

/**
 * Serves the API by HTTP.
 * @throws Fault `config`/`api_key_required` for an address that others can reach without a key,
 * `config`/`port_in_use`, `config`/`address_unavailable`
 */
export async function serveApi(options: ServeOptions): Promise<HttpServer> {
  const { app, port, apiKey } = options;
  const address = await resolve(options.host);
  if (apiKey === undefined && !LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) {
    throw new Fault(
      'config',
      'api_key_required',
      `listening on ${options.host}: others can reach it, no API key is set`,
      {
        hint: 'Set an API key, or listen on 127.0.0.1.',
      },
    );
  }
  const server = createAdaptorServer({
    fetch: (request, environment) => app.fetch(request, environment),
    serverOptions: { headersTimeout: 10_000, requestTimeout: 30_000 },
  }) as Server;
  server.maxConnections = LARGEST_BACKLOG;
  await listen(server, address, port);
  const actual = (server.address() as AddressInfo).port;
  return {
    url: `http://${isIPv6(address) ? `[${address}]` : address}:${actual}`,
    port: actual,
    stop: (deadlineMs = STOP_MS) => stop(server, deadlineMs),
  };
}

async function resolve(host: string): Promise<string> {
  try {
    return (await lookup(host.replace(/^\[|\]$/g, ''))).address;
  } catch (error) {
    throw new Fault('config', 'address_unavailable', `listening on ${host}: the name cannot be resolved`, {
      hint: 'Use an address of this machine, such as 127.0.0.1.',
      cause: error,
    });
  }
}

async function listen(server: Server, address: string, port: number): Promise<void> {
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (error) {
    throw listenFault(error, address, port);
  }
}

function listenFault(error: unknown, address: string, port: number): Fault {
  const doing = `listening on ${address} port ${port}`;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new Fault('config', 'port_in_use', `${doing}: another program listens there`, {
        hint: `Stop the program that uses port ${port}, or choose another port with --port.`,
        cause: error,
      });
    case 'EACCES':
      return new Fault('config', 'port_forbidden', `${doing}: this user may not`, {
        hint: 'Choose a port above 1023 with --port.',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
      return new Fault('config', 'address_unavailable', `${doing}: this machine has no such address`, {
        hint: 'Use an address of this machine, such as 127.0.0.1.',
        cause: error,
      });
    default:
      return new Fault('bug', 'unexpected_error', `${doing}: ${String(error)}`, { cause: error });
  }
}

async function stop(server: Server, deadlineMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  // A connection that is kept alive becomes idle after its answer, and close() does not look again.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const cut = setTimeout(() => server.closeAllConnections(), deadlineMs);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
