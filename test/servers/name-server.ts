import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns';
import { once } from 'node:events';
import type { Resolve } from '../../lib/network/guard';

/** A name server of a test. */
export interface NameServer {
  /** Asks it, as the name service of the machine would be asked. */
  readonly resolve: Resolve;
  /** How often it was asked. */
  asked(): number;
  close(): void;
}

const HEADER_BYTES = 12;
/** An answer without an error, from a server that knows. */
const ANSWER = 0x8180;
/** A record about the name of the question: type A, class IN, not to be remembered, four bytes. */
const RECORD = [0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4];

/** A name server for every name, whose answers are taken from the list one after another; the last stays. */
export async function startNameServer(answers: readonly (readonly string[])[]): Promise<NameServer> {
  const socket = createSocket('udp4');
  let asked = 0;
  socket.on('message', (query, from) => {
    const addresses = answers[Math.min(asked++, answers.length - 1)] ?? [];
    socket.send(answerTo(query, addresses), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    resolve: (host, _options, done) =>
      resolver.resolve4(host, (error, found) =>
        done(
          error,
          (found ?? []).map((address) => ({ address, family: 4 })),
        ),
      ),
    asked: () => asked,
    close: () => void socket.close(),
  };
}

function answerTo(query: Buffer, addresses: readonly string[]): Buffer {
  const header = Buffer.from(query.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(ANSWER, 2);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt16BE(0, 10);
  const question = query.subarray(HEADER_BYTES, query.indexOf(0, HEADER_BYTES) + 5);
  const records = addresses.map((address) => Buffer.from([...RECORD, ...address.split('.').map(Number)]));
  return Buffer.concat([header, question, ...records]);
}
