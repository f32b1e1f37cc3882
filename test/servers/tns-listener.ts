import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** What a listener answers to every CONNECT: a number for refusing, or a descriptor to go to. */
export type ListenerAnswer = { readonly refuse: number } | { readonly redirect: string } | 'nothing';

/** A listener of Oracle's protocol, which hands nobody over. */
export interface TnsListener {
  readonly port: number;
  answer: ListenerAnswer;
  /** What it was sent as data of CONNECT; an empty text for a connection. */
  readonly received: string[];
  close(): void;
}

const REFUSE = 4;
const REDIRECT = 5;
const HEADER = 8;
const CONNECT_DATA = 74;

/** Starts one; with certificates it speaks TCPS. */
export async function startTnsListener(
  host = '127.0.0.1',
  certificates?: { readonly cert: Buffer; readonly key: Buffer },
): Promise<TnsListener> {
  const received: string[] = [];
  const serve = (socket: Socket) => {
    received.push('');
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      received.push(data.subarray(CONNECT_DATA).toString('latin1'));
      const packet = answerPacket(listener.answer);
      if (packet) socket.write(packet);
    });
  };
  const server: Server = certificates ? createTlsServer(certificates, serve) : createServer(serve);
  server.on('tlsClientError', () => undefined);
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const listener: TnsListener = { port, received, answer: 'nothing', close: () => void server.close() };
  return listener;
}

function answerPacket(answer: ListenerAnswer): Buffer | undefined {
  if (answer === 'nothing') return undefined;
  if ('refuse' in answer) {
    const text = Buffer.from(`(DESCRIPTION=(ERR=${answer.refuse})(VSNNUM=0))`);
    return packet(REFUSE, Buffer.concat([Buffer.from([0x22, 0x00]), uint16(text.length), text]));
  }
  const text = Buffer.from(answer.redirect);
  return packet(REDIRECT, Buffer.concat([uint16(text.length), text]));
}

function packet(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(HEADER + body.length);
  header.writeUInt8(type, 4);
  return Buffer.concat([header, body]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
