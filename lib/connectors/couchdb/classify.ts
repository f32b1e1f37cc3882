import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../core/fault';
import { NETWORK_CODES, tlsVerdict } from '../shared/network-codes';

const AGAIN = 'It is tried again by itself; if it stays, look at the log of the server.';
const STATUS: { readonly [status: number]: Verdict } = {
  400: verdict('config', 'request_refused', 'Check that connection leads to CouchDB, and the name of the database.'),
  401: verdict('config', AUTHENTICATION_FAILED, 'Check connection.username and connection.password.'),
  403: verdict('config', 'permission_denied', 'Make the user a member of the database, or name the databases to read.'),
  404: verdict('config', 'database_missing', 'It was removed; leave it out of "databases".'),
  405: verdict('config', 'request_refused', 'Check that connection leads to CouchDB.'),
  408: verdict('transient', 'timeout', AGAIN),
  429: verdict('transient', 'throttled', 'The server takes fewer requests. It is tried again by itself.'),
};
const redirected = verdict('config', 'redirected', 'Give the address as it is: redirects are not followed.');
const unavailable = verdict('transient', 'server_unavailable', AGAIN);

/** What an answer that is no success means; `reason` is what the server says to a request for `path`. */
export function statusFault(path: string, status: number, reason: string): Fault {
  const found =
    STATUS[status] ?? (status < 400 ? redirected : status >= 500 ? unavailable : STATUS[400]) ?? unavailable;
  const message = `asking for ${path || '/'}: the answer is ${status}${reason && ` (${reason})`}`;
  return new Fault(found.kind, found.code, message, { hint: found.hint });
}

/** What an error of the network or of TLS means. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, message, errors } = error as { code?: unknown; message?: string; errors?: readonly Error[] };
  if (typeof code !== 'string') return undefined;
  const known = NETWORK_CODES[code] ?? tlsVerdict(code);
  // Attempts over several addresses fail with an AggregateError without a text of its own.
  const text = message || errors?.map((one) => one.message).join('; ') || code;
  return known && new Fault(known.kind, known.code, text, { hint: known.hint, cause: error });
}
