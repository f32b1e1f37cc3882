import { createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import {
  asksForEncryption,
  columnsToken,
  done,
  errorToken,
  loginAnswer,
  PacketType,
  packets,
  preloginAnswer,
  readBatch,
  readCall,
  readLogin,
  rowToken,
  type TdsCell,
  takePacket,
} from './tds';

/** What answers statements: rows, or an {@link SqlError}. */
export type Answer = (statement: string, values: { readonly [name: string]: string }) => Iterable<readonly TdsCell[]>;

/** An error of the server by its number. */
export class SqlError extends Error {
  readonly number: number;

  constructor(number: number, message: string) {
    super(message);
    this.number = number;
  }
}

/** How the fake lets in. */
export interface SeamOptions {
  readonly user: string;
  readonly password: string;
  readonly secureContext: SecureContext;
  readonly answer: Answer;
}

/** A running fake. */
export interface Seam {
  readonly port: number;
  connections(): number;
  stop(): Promise<void>;
}

const ATTENTION = 0x20;
const FAILED = 2;
const LOGIN_FAILED = 18456;
const CHUNK = 32_768;

/** Speaks as much of TDS, encrypted or not, as the connector's driver asks for. It is no SQL Server. */
export async function startSeam(options: SeamOptions): Promise<Seam> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    new Client(socket, options);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => sockets.size,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One connection. */
class Client {
  readonly #options: SeamOptions;
  readonly #socket: Socket;
  /** Where messages are read from and written to: the socket, or what is encrypted in it. */
  #channel: Duplex;
  #received: Buffer = Buffer.alloc(0);
  #message: Buffer[] = [];
  #stopped = false;
  #working: Promise<void> = Promise.resolve();

  constructor(socket: Socket, options: SeamOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#channel = socket;
    socket.on('error', () => socket.destroy());
    socket.on('data', this.#take);
  }

  readonly #take = (bytes: Buffer): void => {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (let taken = takePacket(this.#received); taken; taken = takePacket(this.#received)) {
      const { packet, rest } = taken;
      this.#received = rest;
      this.#message.push(packet.data);
      if (!packet.last) continue;
      const data = Buffer.concat(this.#message.splice(0));
      if (packet.type === PacketType.Attention) this.#stopped = true;
      this.#working = this.#working.then(() => this.#serve(packet.type, data)).catch(() => void this.#socket.destroy());
    }
  };

  async #serve(type: number, data: Buffer): Promise<void> {
    if (type === PacketType.Prelogin) return this.#prelogin(data);
    if (type === PacketType.Login) return this.#login(data);
    if (type === PacketType.Attention) {
      this.#stopped = false;
      return this.#write(done(ATTENTION), true);
    }
    const { statement, values } =
      type === PacketType.Batch ? { statement: readBatch(data), values: {} } : readCall(data);
    await this.#answer(statement, values);
  }

  async #prelogin(data: Buffer): Promise<void> {
    const encrypted = asksForEncryption(data);
    await this.#write(preloginAnswer(encrypted), true);
    if (!encrypted) return;
    this.#socket.off('data', this.#take);
    const { secureContext } = this.#options;
    const secure = new TLSSocket(handshakeWire(this.#socket), { isServer: true, secureContext });
    secure.on('error', () => this.#socket.destroy());
    secure.on('data', this.#take);
    this.#channel = secure;
  }

  async #login(data: Buffer): Promise<void> {
    const { user, password } = readLogin(data);
    const options = this.#options;
    if (user === options.user && password === options.password) {
      return this.#write(Buffer.concat([loginAnswer(), done()]), true);
    }
    await this.#write(
      Buffer.concat([errorToken(LOGIN_FAILED, `Login failed for user '${user}'.`), done(FAILED)]),
      true,
    );
    this.#channel.end();
  }

  async #answer(statement: string, values: { readonly [name: string]: string }): Promise<void> {
    try {
      let pending: Buffer[] = [];
      let size = 0;
      let begun = false;
      for (const row of this.#options.answer(statement, values)) {
        if (this.#stopped || this.#socket.destroyed) break;
        if (!begun) pending.push(columnsToken(row.map((cell) => Buffer.isBuffer(cell))));
        begun = true;
        const token = rowToken(row);
        pending.push(token);
        size += token.length;
        if (size < CHUNK) continue;
        await this.#write(Buffer.concat(pending), false);
        pending = [];
        size = 0;
        // Lets an order to stop come in.
        await new Promise((resolve) => setImmediate(resolve));
      }
      await this.#write(Buffer.concat([...pending, done()]), true);
    } catch (error) {
      const number = error instanceof SqlError ? error.number : 50_000;
      await this.#write(Buffer.concat([errorToken(number, (error as Error).message), done(FAILED)]), true);
    }
  }

  async #write(data: Buffer, last: boolean): Promise<void> {
    if (this.#socket.destroyed || this.#channel.write(packets(PacketType.Response, data, last))) return;
    await new Promise<void>((resolve) => {
      const go = () => {
        this.#channel.off('drain', go);
        this.#socket.off('close', go);
        resolve();
      };
      this.#channel.on('drain', go);
      this.#socket.on('close', go);
    });
  }
}

/** TLS as TDS wants it: the handshake inside packets of its own, and then as it is. */
function handshakeWire(socket: Socket): Duplex {
  let wrapped = true;
  let received: Buffer = Buffer.alloc(0);
  const wire = new Duplex({
    read: () => void socket.resume(),
    write(chunk: Buffer, _encoding, next) {
      if (socket.destroyed) return next();
      socket.write(wrapped ? packets(PacketType.Prelogin, chunk, true) : chunk, () => next());
    },
    final: (next) => void socket.end(() => next()),
  });
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    // What does not begin as such a packet is encrypted data.
    while (wrapped && received.length > 0) {
      if (received[0] !== PacketType.Prelogin) wrapped = false;
      const taken = wrapped ? takePacket(received) : undefined;
      if (taken === undefined) break;
      wire.push(Buffer.from(taken.packet.data));
      received = taken.rest;
    }
    if (wrapped || received.length === 0) return;
    wire.push(received);
    received = Buffer.alloc(0);
  });
  socket.once('close', () => wire.destroy());
  return wire;
}
