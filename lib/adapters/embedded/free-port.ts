import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// From 32768 on the system gives ports to outgoing connections, one of which could take a port that we remember.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A loopback port that nobody listens on: `preferred` when it is free. Another program may still be faster. */
export async function freePort(preferred: number | undefined): Promise<number> {
  for (let port = preferred ?? randomInt(LOWEST, HIGHEST); ; port = randomInt(LOWEST, HIGHEST)) {
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
