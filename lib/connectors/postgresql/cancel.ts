import type { Endpoint } from './endpoint';
import { encrypt, openSocket } from './socket';

const CANCEL_CODE = 80877102;
const WAIT_MS = 3000;

/** Asks the server to stop what it does for a connection. A best effort: the connection is dropped in any case. */
export function cancelStatement(endpoint: Endpoint, pid: number, secretKey: number): void {
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(CANCEL_CODE, 4);
  request.writeInt32BE(pid, 8);
  request.writeInt32BE(secretKey, 12);
  send(endpoint, request).catch(() => {
    // Nothing to add: without the request the server notices the lost connection at its next write.
  });
}

async function send(endpoint: Endpoint, request: Buffer): Promise<void> {
  const socket = await openSocket(endpoint);
  socket.setTimeout(WAIT_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const channel = endpoint.tls ? await encrypt(endpoint, socket) : socket;
  channel.on('error', () => socket.destroy());
  channel.on('data', () => undefined); // the server closes without a word
  channel.end(request);
}
