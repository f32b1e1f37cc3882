import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before a server, and can be trouble. */
export interface TcpProxy {
  readonly port: number;
  /** Breaks all connections; others can be made. */
  cut(): void;
  /** Takes connections from now on, and passes nothing on: as a machine that hangs, or a network that drops everything. */
  silence(): void;
  close(): Promise<void>;
}

/** Starts one on loopback. */
export async function startTcpProxy(host: string, port: number): Promise<TcpProxy> {
  const open = new Map<Socket, Socket | undefined>();
  let silent = false;
  const server = createServer((client) => {
    const upstream = silent ? undefined : connect(port, host);
    open.set(client, upstream);
    client.on('error', () => client.destroy());
    client.once('close', () => {
      open.delete(client);
      upstream?.destroy();
    });
    upstream?.on('error', () => upstream.destroy()).once('close', () => silent || client.destroy());
    upstream?.pipe(client).pipe(upstream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const client of open.keys()) client.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    silence() {
      silent = true;
      for (const [client, upstream] of open) {
        upstream?.unpipe(client);
        client.unpipe();
      }
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
