import { connect, createServer, type Socket } from 'node:net';

/** A proxy that cuts all connections at a chosen piece of traffic, before it is passed on. */
export interface CuttingProxy {
  readonly port: number;
  /** Cuts at the `nth` piece in that direction from now on; 0 never cuts. */
  cutAt(direction: 'request' | 'answer', nth: number): void;
  /** Whether it was cut since the last `cutAt`. */
  readonly wasCut: boolean;
  close(): Promise<void>;
}

/** Starts one in front of a server on loopback. */
export async function startCuttingProxy(target: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let direction: 'request' | 'answer' = 'request';
  let left = 0;
  let cut = false;
  const cutAll = () => {
    cut = true;
    for (const socket of sockets) socket.destroy();
  };
  const pass = (from: Socket, to: Socket, way: 'request' | 'answer') => {
    sockets.add(from);
    from.on('data', (data) => {
      if (way === direction && left > 0 && --left === 0) cutAll();
      else if (!to.destroyed) to.write(data);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    pass(client, upstream, 'request');
    pass(upstream, client, 'answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cutAt(way, nth) {
      direction = way;
      left = nth;
      cut = false;
    },
    get wasCut() {
      return cut;
    },
    async close() {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
