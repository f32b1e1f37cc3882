import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Trouble } from '../../../contracts/notifier';

/** An email as it arrived. */
export interface Mail {
  /** By name in small letters; as text, unfolded and decoded. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  readonly recipients: readonly string[];
}

/** A mail server that asks for a password, on loopback. */
export interface MailServer {
  readonly port: number;
  /** Passwords that were sent, wrong ones included. */
  readonly logins: readonly string[];
  take(): Mail;
  trouble(kind: Trouble | undefined): Promise<void>;
  close(): Promise<void>;
}

const answer = (responseCode: number) => Object.assign(new Error('as the test wants it'), { responseCode });

/** Starts one that lets `user` in with `password`, and refuses recipients whose name begins with `nobody`. */
export async function startMailServer(user: string, password: string): Promise<MailServer> {
  const mails: Mail[] = [];
  const logins: string[] = [];
  let trouble: Trouble | undefined;
  const options: SMTPServerOptions = {
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 1,
    onConnect: (_session, callback) => {
      if (trouble === 'slow') return;
      callback(trouble === 'failing' ? answer(421) : undefined);
    },
    onAuth: ({ username, password: given }, _session, callback) => {
      logins.push(given ?? '');
      if (trouble === 'forbidden' || username !== user || given !== password) callback(answer(535));
      else callback(null, { user });
    },
    onRcptTo: ({ address }, _session, callback) => {
      if (trouble === 'throttled') callback(answer(450));
      else callback(address.startsWith('nobody') ? answer(550) : undefined);
    },
    onData: (stream, session, callback) => {
      const recipients = session.envelope.rcptTo.map(({ address }) => address);
      buffer(stream).then((raw) => {
        mails.push(read(raw.toString('latin1'), recipients));
        callback();
      }, callback);
    },
  };
  const listen = async (port: number) => {
    const server = new SMTPServer(options);
    server.on('error', () => undefined); // a client that goes away
    server.listen(port, '127.0.0.1');
    await once(server.server, 'listening');
    return server;
  };
  const closed = (server: SMTPServer) => new Promise<void>((resolve) => server.close(() => resolve()));
  let server: SMTPServer | undefined = await listen(0);
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    logins,
    take() {
      const mail = mails.shift();
      if (mail === undefined) throw new Error('no mail has arrived');
      return mail;
    },
    async trouble(kind) {
      trouble = kind;
      if (kind === 'down' && server) {
        await closed(server);
        server = undefined;
      }
      if (kind !== 'down') server ??= await listen(port);
    },
    close: async () => void (server && (await closed(server))),
  };
}

function read(raw: string, recipients: readonly string[]): Mail {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      decodeWords(line.slice(line.indexOf(':') + 2)),
    ]),
  );
  const body = rest.join('\r\n\r\n');
  return { headers, text: decodeBody(body, headers.get('content-transfer-encoding') ?? '7bit'), recipients };
}

/** RFC 2047. */
function decodeWords(text: string): string {
  const words = /=\?utf-8\?([QB])\?([^?]*)\?=/gi;
  const decoded = text
    .replace(/(\?=) (=\?)/g, '$1$2')
    .replace(words, (_word, encoding: string, value: string) =>
      encoding.toUpperCase() === 'B'
        ? Buffer.from(value, 'base64').toString('latin1')
        : quotedPrintable(value.replaceAll('_', ' ')),
    );
  return Buffer.from(decoded, 'latin1').toString('utf8');
}

function decodeBody(body: string, encoding: string): string {
  const bytes = encoding === 'base64' ? Buffer.from(body, 'base64').toString('latin1') : body;
  const plain = encoding === 'quoted-printable' ? quotedPrintable(bytes.replace(/=\r\n/g, '')) : bytes;
  return Buffer.from(plain, 'latin1').toString('utf8').replaceAll('\r\n', '\n');
}

function quotedPrintable(text: string): string {
  return text.replace(/=([0-9A-F]{2})/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
