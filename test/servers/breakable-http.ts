import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A request as it came. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How a server answers: a status with headers, or nothing at all. */
export type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'never';

/** An HTTP server of a test, which can be told to answer badly, and can be down. */
export interface BreakableHttp {
  readonly url: string;
  /** All requests so far, those answered badly included. */
  readonly requests: readonly HttpRequest[];
  /** Answers so from now on; `undefined`: as it should. */
  answer(answer: Answer | undefined): void;
  /** Takes no connections from now on. */
  down(): Promise<void>;
  /** Takes connections again, at the same address. */
  up(): Promise<void>;
}

/** Starts one that answers with `serve` unless it is told otherwise. */
export async function startBreakableHttp(
  serve: (request: HttpRequest, response: ServerResponse) => Promise<void> | void,
): Promise<BreakableHttp> {
  const requests: HttpRequest[] = [];
  let bad: Answer | undefined;
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const received = { method, path: url, headers, body: await buffer(request) };
    requests.push(received);
    if (bad === 'never') return;
    if (bad === undefined) await serve(received, response);
    else response.writeHead(bad.status, bad.headers).end(bad.body ?? '');
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer(next) {
      bad = next;
    },
    down: async () => {
      if (!server.listening) return;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    up: () => listen(port),
  };
}
