import { type Agent, type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Socket } from 'node:net';
import { Fault } from '../../core/fault';
import { ruledAgent } from '../shared/http/agent';
import { statusFault } from './classify';
import type { Endpoint } from './endpoint';
import { jsonElements } from './json-elements';
import { Login } from './login';

/** Parameters of a request; those that are undefined are left out. */
export type Query = { readonly [name: string]: string | number | boolean | undefined };

/** A request beside the path. */
export interface Sending {
  readonly query?: Query;
  readonly signal: AbortSignal;
}

const LARGEST_ANSWER = 64 << 20;
const LARGEST_REASON = 4096;

/** Requests to one server. Each connection is kept for the next, and obeys the rules of the network. */
export class CouchdbClient {
  readonly #endpoint: Endpoint;
  readonly #agent: Agent;
  readonly #login: Login;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#agent = ruledAgent(endpoint);
    this.#login = new Login(endpoint.account, (body, signal) => this.#exchange('POST', '_session', { signal }, body));
  }

  /** A small answer, parsed. */
  async json(path: string, sending: Sending): Promise<unknown> {
    const text = await this.#text(path, await this.#get(path, sending), LARGEST_ANSWER);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw noJson(path, cause);
    }
  }

  /** The objects of a list, as they are written, while they come. */
  async *elements(path: string, sending: Sending): AsyncGenerator<string> {
    const response = await this.#get(path, sending);
    try {
      yield* jsonElements(path, this.#chunks(path, response));
    } finally {
      response.destroy();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #get(path: string, sending: Sending): Promise<IncomingMessage> {
    const response = await this.#exchange('GET', path, sending);
    if (response.statusCode === 401 && this.#login.expired()) {
      response.destroy();
      return this.#successful(path, await this.#exchange('GET', path, sending));
    }
    return this.#successful(path, response);
  }

  async #successful(path: string, response: IncomingMessage): Promise<IncomingMessage> {
    const { statusCode: status = 0 } = response;
    if (status >= 200 && status < 300) {
      this.#login.renewed(response.headers);
      return response;
    }
    throw statusFault(path, status, reasonIn(await this.#text(path, response, LARGEST_REASON)));
  }

  async #exchange(method: string, path: string, sending: Sending, body?: string): Promise<IncomingMessage> {
    const headers = body === undefined ? await this.#login.headers(sending.signal) : undefined;
    const url = new URL(path, this.#endpoint.url);
    for (const [name, value] of Object.entries(sending.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const open = url.protocol === 'https:' ? requestTls : requestPlain;
    const send = () =>
      open(url, {
        method,
        agent: this.#agent,
        signal: sending.signal,
        headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      });
    try {
      return await this.#answer(path, send(), body);
    } catch (error) {
      // The server had closed a kept connection in the same moment.
      if (!(error instanceof StaleConnection)) throw error;
      return this.#answer(path, send(), body);
    }
  }

  #answer(path: string, request: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => request.destroy(timedOut(path)), this.#endpoint.requestTimeoutMs);
      request.once('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        reject(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection(error) : error);
      });
      request.once('response', (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      request.once('socket', (socket) => endIfUnconnected(path, request, socket, this.#endpoint.connectTimeoutMs));
      request.end(body);
    });
  }

  /** A reader may take its time; only the server may not. */
  async *#chunks(path: string, response: IncomingMessage): AsyncGenerator<Buffer> {
    const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]();
    for (;;) {
      const timer = setTimeout(() => response.destroy(timedOut(path)), this.#endpoint.requestTimeoutMs);
      try {
        const next = await chunks.next();
        if (next.done) return;
        clearTimeout(timer);
        yield next.value;
      } finally {
        clearTimeout(timer);
      }
    }
  }

  async #text(path: string, response: IncomingMessage, most: number): Promise<string> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of this.#chunks(path, response)) {
        pieces.push(chunk);
        bytes += chunk.length;
        if (bytes > most) break;
      }
    } finally {
      if (bytes > most) response.destroy();
    }
    return Buffer.concat(pieces).subarray(0, most).toString('utf8');
  }
}

class StaleConnection extends Error {
  readonly code = 'ECONNRESET';

  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function endIfUnconnected(path: string, request: ClientRequest, socket: Socket, milliseconds: number): void {
  if (!socket.connecting) return;
  const timer = setTimeout(() => request.destroy(timedOut(path)), milliseconds);
  for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
}

function noJson(path: string, cause: unknown): Fault {
  return new Fault('config', 'request_refused', `asking for ${path || '/'}: the answer is no JSON`, {
    hint: 'Check that connection leads to CouchDB.',
    cause,
  });
}

function timedOut(path: string): Fault {
  return new Fault('transient', 'timeout', `asking for ${path || '/'}: the server does not answer`, {
    hint: 'It is tried again by itself; if it stays, check the address, and raise connection.request_timeout.',
  });
}

function reasonIn(body: string): string {
  try {
    const { error, reason } = JSON.parse(body) as { error?: unknown; reason?: unknown };
    return [error, reason].filter((part) => typeof part === 'string').join(': ');
  } catch {
    return ''; // a page of something on the way
  }
}
