import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Ports from 32768 on are given to outgoing connections, which may hold one that was free a moment ago.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A loopback port below 32768 that nobody listens on right now. Another process may still be faster: retry. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
