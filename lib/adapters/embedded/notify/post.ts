import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../../core/fault';
import type { Clock } from '../../../core/ports';

/** A request that hands a notification over. Its address is a secret: it is in no message. */
export interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers: { readonly [name: string]: string };
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** What is being done, for messages: "sending to Slack". */
  readonly doing: string;
  /** Where the address is configured, for hints: "the URL of the Slack webhook". */
  readonly address: string;
}

const LONGEST_WAIT_MS = 3_600_000;
const LONGEST_ANSWER = 1024;
/** Words of an answer that are shown: codes such as `invalid_payload`, never a page, an address or a token. */
const WORDS = /^[a-z_]{1,40}$/;

/** Sends it, without following redirects: the body would go to somebody else. @throws Fault */
export async function post({ url, body, headers, timeoutMs, clock, doing, address }: Post): Promise<void> {
  let response: Response;
  let answer: string;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual', signal });
    answer = await beginning(response);
  } catch (error) {
    throw unreachable(error, doing, timeoutMs, address);
  }
  if (response.ok) return;
  const { kind, code, hint } = judge(response.status, address);
  const word = WORDS.test(answer.trim()) ? ` (${answer.trim()})` : '';
  const wait = kind === 'transient' ? retryAfter(response.headers.get('retry-after'), clock.now()) : undefined;
  throw new Fault(kind, code, `${doing}: the answer is ${response.status}${word}`, {
    hint,
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}

/** @throws Fault `config`/`invalid_url`, without the URL */
export function checkWebUrl(url: string, doing: string, address: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isLocal = parsed !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname);
  if (parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isLocal)) {
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
async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const { value } = await reader.read();
  await reader.cancel();
  return Buffer.from(value ?? [])
    .subarray(0, LONGEST_ANSWER)
    .toString('utf8');
}

// The cause may hold the address, so that only its code is kept.
function unreachable(error: unknown, doing: string, timeoutMs: number, address: string): Fault {
  const { name, code, cause } = error as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly cause?: { readonly code?: unknown };
  };
  if (name === 'TimeoutError') {
    return new Fault('transient', 'timeout', `${doing}: no answer within ${timeoutMs / 1000} s`, {
      hint: 'It is tried again by itself; if it stays, see why the receiver is slow.',
    });
  }
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
function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return ms > 0 ? Math.min(ms, LONGEST_WAIT_MS) : undefined;
}
