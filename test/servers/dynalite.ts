import type { Server } from 'node:http';
import makeServer from 'dynalite';
import { freePort } from './port';
import type { ServerRecipe } from './require';

/** DynamoDB's own part of AWS, emulated in this process; its tables live as long as it. */
export interface Dynalite {
  /** The endpoint. */
  readonly url: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** How many connections it has. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

const START_ATTEMPTS = 3;

/** For `describeWithServer`. It knows no transactions, time to live and streams. */
export function dynalite(): ServerRecipe<Dynalite> {
  return { name: 'dynalite 4', unavailable: () => undefined, start: startDynalite };
}

/** A private emulator on loopback. */
export async function startDynalite(): Promise<Dynalite> {
  for (let left = START_ATTEMPTS - 1; ; left--) {
    const server = makeServer({ createTableMs: 0, deleteTableMs: 0 });
    try {
      const port = await listen(server);
      return {
        url: `http://127.0.0.1:${port}`,
        region: 'us-east-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
        connections: () => connectionsOf(server),
        stop: () => stop(server),
      };
    } catch (error) {
      if (left <= 0) throw error; // else another process may have taken the port in the meantime
    }
  }
}

async function listen(server: Server): Promise<number> {
  const port = await freePort();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  return port;
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
  // It would wait for those that clients keep open.
  server.closeAllConnections();
  await closed;
}
