import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../../core/fault';
import type { Network } from '../../../core/network';
import { fitted, type Notification, readableText, subjectOf } from '../../../core/notification';
import type { Notifier } from '../../../core/ports';
import type { Secret } from '../../../core/secret';
import { ruledSocket } from './ruled-socket';

/** The mail server, and who gets mail from whom. */
export interface EmailNotifierOptions {
  /** `smtp://user:password@host:port`, or `smtps:` for TLS from the start. */
  readonly url: Secret;
  readonly from: string;
  readonly to: readonly string[];
  /** What may be connected to. */
  readonly network: Network;
  /** Of each step; 10 seconds, unless it says otherwise. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const DOING = 'sending an email';
const LONGEST_SUBJECT = 200;
const ADDRESS = /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/;

/** Notifications as emails of plain text, over SMTP. A password goes to another machine only through TLS. */
export class EmailNotifier implements Notifier {
  readonly channel = 'email';
  readonly #options: EmailNotifierOptions;
  readonly #server: ReturnType<typeof serverOf>;

  /** @throws Fault `config`/`invalid_url` or `invalid_address` */
  constructor(options: EmailNotifierOptions) {
    const wrong = [options.from, ...options.to].filter((address) => !ADDRESS.test(address));
    if (wrong.length > 0 || options.to.length === 0) {
      const found = wrong.length > 0 ? `${JSON.stringify(wrong[0])} is not an address` : 'nobody is named to get it';
      throw new Fault('config', 'invalid_address', `${DOING}: ${found}`, { hint: 'Expected name@example.com.' });
    }
    this.#server = serverOf(options.url.reveal());
    this.#options = options;
  }

  async send(notification: Notification): Promise<void> {
    const { from, to, network, timeoutMs = TIMEOUT_MS } = this.#options;
    const { host, port } = this.#server;
    let socket: Socket | undefined;
    try {
      socket = await ruledSocket({ host, port, network, timeoutMs, doing: DOING });
      const transport = createTransport({
        ...this.#server,
        connection: socket,
        connectionTimeout: timeoutMs,
        greetingTimeout: timeoutMs,
        socketTimeout: timeoutMs,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      const { rejected } = await transport.sendMail({
        from: { name: 'ExplorerIO', address: from },
        to: to.map((address) => ({ name: '', address })),
        subject: subjectOf(notification, LONGEST_SUBJECT),
        text: readableText(fitted(notification)),
        // The same for each attempt, by which mail programs show it once.
        messageId: `<${createHash('sha256').update(notification.id).digest('hex')}@explorerio>`,
        headers: { 'Auto-Submitted': 'auto-generated', 'X-ExplorerIO-Severity': notification.severity },
      });
      if (rejected.length > 0) throw refusedRecipients(rejected);
    } catch (error) {
      throw emailFault(error);
    } finally {
      socket?.destroy();
    }
  }
}

function serverOf(url: string) {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^smtps?:$/.test(parsed.protocol) || parsed.hostname === '') throw invalidUrl();
  const { hostname, port, username, password } = parsed;
  const secure = parsed.protocol === 'smtps:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
  return {
    host,
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    ...(username !== '' && {
      auth: { user: decoded(username), pass: decoded(password) },
      requireTLS: !secure && !isLocal,
    }),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidUrl(); // its parts are secret
  }
}

function invalidUrl(): Fault {
  return new Fault('config', 'invalid_url', `${DOING}: the URL of the mail server is not an SMTP URL`, {
    hint: 'Expected smtp://user:password@host:587 or smtps://..., with odd characters percent-encoded.',
  });
}

const AGAIN = 'It is tried again by itself; if it stays, look at the log of the mail server.';
const unreachable = verdict('transient', 'unreachable', 'Check host and port of the mail server, and the firewall.');
const untrusted = verdict(
  'config',
  'tls_failed',
  'The mail server offers no TLS, or its certificate is not trusted: put its authority into NODE_EXTRA_CA_CERTS.',
);
const refusedLogin = verdict('config', AUTHENTICATION_FAILED, 'Check user and password in the URL of the mail server.');
const refused = verdict('config', 'notification_refused', 'The mail server does not take it: see the reason it gives.');

/** By the codes of nodemailer. */
const CODES: { readonly [code: string]: Verdict } = {
  ECONNECTION: unreachable,
  ESOCKET: unreachable,
  EDNS: unreachable,
  ETIMEDOUT: verdict('transient', 'timeout', AGAIN),
  EPROTOCOL: verdict('transient', 'receiver_unavailable', AGAIN),
  ETLS: untrusted,
  EAUTH: refusedLogin,
  ENOAUTH: refusedLogin,
};

function emailFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const { code, responseCode = 0 } = error as { readonly code?: string; readonly responseCode?: number };
  const { kind, code: meaning, hint } = judge(code, responseCode);
  const said = responseCode > 0 ? `the mail server answers ${responseCode}` : (code ?? 'the connection failed');
  return new Fault(kind, meaning, `${DOING}: ${said}`, { hint, cause: error });
}

// https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1: 4yz may be tried again, 5yz not.
function judge(code: string | undefined, response: number): Verdict {
  if (response >= 400 && response < 500) return verdict('transient', 'receiver_unavailable', AGAIN);
  if (response === 530 || response === 534 || response === 535) return refusedLogin;
  const known = CODES[code ?? ''];
  if (known !== undefined && known !== unreachable) return known;
  if (response >= 500) return refused;
  return known ?? refused;
}

function refusedRecipients(addresses: readonly unknown[]): Fault {
  const names = addresses.map((one) =>
    typeof one === 'string' ? one : String((one as { address?: unknown }).address),
  );
  return new Fault('config', 'recipient_refused', `${DOING}: the mail server refuses ${names.join(', ')}`, {
    hint: 'Correct these addresses, or take them out; the others have got it.',
  });
}
