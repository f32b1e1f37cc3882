import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { BSON, type Document } from 'mongodb';

/** What becomes of a command: answered by this document, or its connection is lost; else the server answers. */
export type Intervene = (command: Document) => Document | 'lost' | undefined;

/** Stands before a MongoDB server and answers some commands in its place. */
export interface MongoProxy {
  readonly port: number;
  /** How many connections are open. */
  readonly connections: number;
  close(): Promise<void>;
}

const HEADER = 16;
const OP_MSG = 2013;
const OP_QUERY = 2004;
const OP_REPLY = 1;
const FLAGS = 4;
const REPLY_HEADER = 20;
const SECTION_KIND = 1;

/** Does `body` with the port of one. */
export async function throughMongoProxy(
  target: number,
  intervene: Intervene,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const proxy = await startMongoProxy(target, intervene);
  try {
    await body(proxy.port);
  } finally {
    await proxy.close();
  }
}

/** Starts one on loopback, with TLS where a certificate is given. */
export async function startMongoProxy(
  target: number,
  intervene: Intervene = () => undefined,
  certificate?: TlsOptions,
): Promise<MongoProxy> {
  const open = new Set<Socket>();
  const serve = (client: Socket) => {
    const upstream = connect(target, '127.0.0.1');
    open.add(client);
    const end = () => {
      open.delete(client);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    upstream.pipe(client);
    let buffered = Buffer.alloc(0);
    client.on('data', (data) => {
      buffered = Buffer.concat([buffered, data]);
      while (buffered.length >= 4 && buffered.length >= buffered.readInt32LE(0)) {
        const message = buffered.subarray(0, buffered.readInt32LE(0));
        buffered = buffered.subarray(message.length);
        const answer = intervene(commandOf(message));
        if (answer === 'lost') end();
        else if (answer === undefined) upstream.write(message);
        else client.write(reply(message, answer));
      }
    });
  };
  const server = certificate ? createTlsServer(certificate, serve) : createServer(serve);
  server.on('tlsClientError', () => undefined); // the client says what it did not like
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return open.size;
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function commandOf(message: Buffer): Document {
  const code = message.readInt32LE(12);
  if (code === OP_MSG) return documentAt(message, HEADER + FLAGS + SECTION_KIND);
  if (code !== OP_QUERY) return {};
  const nameEnd = message.indexOf(0, HEADER + FLAGS);
  return documentAt(message, nameEnd + 1 + 8);
}

function documentAt(message: Buffer, start: number): Document {
  return BSON.deserialize(message.subarray(start, start + message.readInt32LE(start)), { promoteValues: false });
}

function reply(request: Buffer, answer: Document): Buffer {
  const old = request.readInt32LE(12) === OP_QUERY;
  const body = BSON.serialize(answer);
  const header = Buffer.alloc(HEADER + (old ? REPLY_HEADER : FLAGS + SECTION_KIND));
  header.writeInt32LE(header.length + body.length, 0);
  header.writeInt32LE(request.readInt32LE(4), 8);
  header.writeInt32LE(old ? OP_REPLY : OP_MSG, 12);
  if (old) header.writeInt32LE(1, HEADER + REPLY_HEADER - 4);
  return Buffer.concat([header, body]);
}

/** How the server answers a login with a wrong password. */
export function refuseLogin(command: Document): Document | undefined {
  if (!('saslStart' in command)) return undefined;
  return { ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: 'Authentication failed.' };
}
