import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../../core/fault';
import type { Network } from '../../../core/network';
import type { Clock } from '../../../core/ports';
import { isPrivateUrl } from '../../../core/web-url';

/** A request that hands a notification over. Its address is a secret: it is in no message. */
export interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers: { readonly [name: string]: string };
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** What may be connected to. */
  readonly network: Network;
  /** What is being done, for messages: "sending to Slack". */
  readonly doing: string;
  /** Where the address is configured, for hints: "the URL of the Slack webhook". */
  readonly address: string;
}

const LONGEST_WAIT_MS = 3_600_000;
const LONGEST_ANSWER = 1024;
const ADDRESS_REFUSED = 'address_refused';
/** Words of an answer that are shown: codes such as `invalid_payload`, never a page, an address or a token. */
const WORDS = /^[a-z_]{1,40}$/;

/**
 * Sends it to no other address than the one that was checked: without following redirects, since the body would go to
 * somebody else, and by no proxy of the environment. @throws Fault
 */
export async function post(given: Post): Promise<void> {
  const { timeoutMs, clock, doing, address } = given;
  const signal = AbortSignal.timeout(timeoutMs);
  let response: IncomingMessage;
  let answer: string;
  try {
    response = await exchange(given, signal);
    answer = await beginning(response);
  } catch (error) {
    throw signal.aborted ? tooSlow(doing, timeoutMs) : unreachable(error, doing, address);
  }
  const { statusCode: status = 0, headers } = response;
  if (status >= 200 && status < 300) return;
  const { kind, code, hint } = judge(status, address);
  const word = WORDS.test(answer.trim()) ? ` (${answer.trim()})` : '';
  const wait = kind === 'transient' ? retryAfter(headers['retry-after'], clock.now()) : undefined;
  throw new Fault(kind, code, `${doing}: the answer is ${status}${word}`, {
    hint,
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}

function exchange({ url, body, headers, network }: Post, signal: AbortSignal): Promise<IncomingMessage> {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    // Only names are looked up.
    if (isIP(host) !== 0) network.check(host, host);
    const open = protocol === 'https:' ? requestTls : requestPlain;
    const request = open(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      // An agent of its own, as the global one may go by a proxy that the environment names.
      agent: false,
      lookup: network.lookup as LookupFunction,
      signal,
    });
    request.once('error', reject);
    request.once('response', resolve);
    request.end(body);
  });
}

/** @throws Fault `config`/`invalid_url`, without the URL */
export function checkWebUrl(url: string, doing: string, address: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && isPrivateUrl(parsed)) {
    if (parsed.username === '' && parsed.password === '') return;
  }
  throw new Fault(
    'config',
    'invalid_url',
    `${doing}: ${address} is not an https:// address without user and password`,
    {
      hint: 'Only an address of this machine itself may begin with http://.',
    },
  );
}

/** Reads no more of the answer than is looked at, and lets the connection go. */
async function beginning(response: IncomingMessage): Promise<string> {
  const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]();
  const { value } = await chunks.next();
  response.destroy();
  return Buffer.from(value ?? [])
    .subarray(0, LONGEST_ANSWER)
    .toString('utf8');
}

function tooSlow(doing: string, timeoutMs: number): Fault {
  return new Fault('transient', 'timeout', `${doing}: no answer within ${timeoutMs / 1000} s`, {
    hint: 'It is tried again by itself; if it stays, see why the receiver is slow.',
  });
}

/** For an address that nothing is ever sent to. It is a secret, and so is not named. */
export function refusedAddress(doing: string, address: string): Fault {
  return new Fault('config', ADDRESS_REFUSED, `${doing}: ${address} leads to an address that is never connected to`, {
    hint: 'Link-local and metadata addresses are refused: give the address of the receiver.',
  });
}

// The cause may hold the address, so that only its code is kept.
function unreachable(error: unknown, doing: string, address: string): Fault {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: { readonly code?: unknown } };
  if (code === ADDRESS_REFUSED) return refusedAddress(doing, address);
  const reason = String(cause?.code ?? code ?? 'the connection failed');
  if (/^(CERT_|ERR_TLS_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/.test(reason)) {
    return new Fault('config', 'tls_untrusted', `${doing}: ${reason}`, {
      hint: 'Put the authority of its certificate into NODE_EXTRA_CA_CERTS, or renew the certificate.',
    });
  }
  return new Fault('transient', 'unreachable', `${doing}: ${reason}`, {
    hint: `Check ${address}, and that the network lets this machine through.`,
  });
}

function judge(status: number, address: string): Verdict {
  if (status < 400) return verdict('config', 'redirected', `Give ${address} as it is now: redirects are not followed.`);
  if (status === 401 || status === 403) {
    return verdict('config', AUTHENTICATION_FAILED, `Check ${address}: the receiver does not accept it any more.`);
  }
  if (status === 404 || status === 410) {
    return verdict('config', 'receiver_missing', `Check ${address}: there is nothing behind it any more.`);
  }
  if (status === 429)
    return verdict('transient', 'throttled', 'The receiver takes fewer notifications; it is tried again.');
  if (status >= 500 || status === 408 || status === 425) {
    return verdict(
      'transient',
      'receiver_unavailable',
      'It is tried again by itself; if it stays, look at the receiver.',
    );
  }
  return verdict(
    'config',
    'notification_refused',
    'The receiver does not take what is sent; see its log for the reason.',
  );
}

/** Seconds, or a date. What is no such thing, or is over, counts as nothing; nobody is waited for longer than an hour. */
function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return ms > 0 ? Math.min(ms, LONGEST_WAIT_MS) : undefined;
}
