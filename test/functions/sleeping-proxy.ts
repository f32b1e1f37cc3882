import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../servers/port';

/**
 * How a database behaves that is asleep: nothing listens (`refusing`), it says that it is starting up (`starting`), or
 * connections are accepted and held until it is there (`silent`), as of an Aurora that resumes.
 */
export type Sleep = 'awake' | 'refusing' | 'starting' | 'silent';

/** A PostgreSQL that can fall asleep. */
export interface SleepingProxy {
  /** `url` by way of this proxy. */
  throughProxy(url: string): string;
  /** Connections that were accepted while it slept, by what became of them. */
  readonly turnedAway: { readonly starting: number; readonly silent: number };
  /** Falls asleep, cutting all connections, or wakes up. */
  become(next: Sleep): Promise<void>;
  close(): Promise<void>;
}

/** Stands before a PostgreSQL server, awake. */
export async function sleepingProxy(target: { readonly host: string; readonly port: number }): Promise<SleepingProxy> {
  const port = await freePort();
  const open = new Set<Socket>();
  const held = new Set<Socket>();
  const turnedAway = { starting: 0, silent: 0 };
  let sleep: Sleep = 'awake';
  const keep = (socket: Socket) => {
    open.add(socket);
    // The other side may be gone, which is what is being tested.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  };
  const pass = (socket: Socket) => {
    const upstream = connect(target.port, target.host);
    keep(upstream);
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      from.pipe(to);
      from.on('close', () => to.destroy());
    }
  };
  const accept = (socket: Socket) => {
    keep(socket);
    if (sleep === 'awake') return pass(socket);
    if (sleep === 'refusing') return socket.destroy();
    turnedAway[sleep]++;
    if (sleep === 'starting') return socket.once('data', () => socket.end(STARTING_UP));
    held.add(socket.pause());
    return socket.on('close', () => held.delete(socket));
  };
  let server: Server | undefined;
  const listen = async () => {
    const next = createServer(accept);
    await new Promise<void>((resolve) => next.listen(port, '127.0.0.1', resolve));
    server = next;
  };
  const deafen = async () => {
    const before = server;
    server = undefined;
    for (const socket of open) socket.destroy();
    if (before) await new Promise((resolve) => before.close(resolve));
  };
  await listen();
  return {
    turnedAway,
    throughProxy(url) {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(port);
      return changed.href;
    },
    async become(next) {
      sleep = next;
      if (next === 'refusing') return deafen();
      if (next === 'awake') for (const socket of held) pass(socket);
      else for (const socket of open) socket.destroy();
      held.clear();
      if (server === undefined) await listen();
    },
    close: deafen,
  };
}

/** The server's answer to the first message: an error of SQLSTATE 57P03. */
const STARTING_UP = (() => {
  const fields = 'SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0';
  const message = Buffer.alloc(5 + fields.length);
  message.write('E', 0);
  message.writeInt32BE(4 + fields.length, 1);
  message.write(fields, 5, 'latin1');
  return message;
})();
