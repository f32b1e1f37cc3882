import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A DynamoDB that answers some requests only that they are too many. */
export interface ThrottlingProxy {
  readonly url: string;
  /** Requests that were refused so far. */
  readonly refused: number;
  /** From now on a request is refused when this says so. */
  refuseWhen(decide: () => boolean): void;
  close(): Promise<void>;
}

// Both are what DynamoDB says: the first of a table, the second of an account or an on-demand table that grows too fast.
const REFUSALS = [
  'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  'com.amazon.coral.availability#ThrottlingException',
];

/** Stands before an emulator; refuses nothing until it is told to. */
export async function throttlingProxy(target: string): Promise<ThrottlingProxy> {
  const to = new URL(target);
  let decide = () => false;
  let refused = 0;
  const refuse = (response: ServerResponse) => {
    const type = REFUSALS[refused++ % REFUSALS.length];
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: type, message: 'Rate of requests exceeds the allowed throughput.' }));
  };
  const pass = (incoming: IncomingMessage, response: ServerResponse) => {
    const { method, url: path, headers } = incoming;
    const outgoing = request({ host: to.hostname, port: to.port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  };
  const server = createServer((incoming, response) => {
    if (!decide()) return pass(incoming, response);
    incoming.resume().on('end', () => refuse(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get refused() {
      return refused;
    },
    refuseWhen(next) {
      decide = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
