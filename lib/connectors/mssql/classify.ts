import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../core/fault';
import { NETWORK_CODES, tlsVerdict } from '../shared/network-codes';

const AGAIN = 'It is tried again by itself; if it stays, look at the log of the server.';
const busy = verdict('transient', 'server_busy', AGAIN);
const lost = verdict('transient', 'connection_lost', AGAIN);
const unreachable = verdict(
  'transient',
  'unreachable',
  'Check server and port, that the server runs, and that a firewall lets this machine through.',
);
const refused = verdict('config', 'permission_denied', 'GRANT SELECT on the table to the user.');
const noSnapshot = verdict(
  'transient',
  'snapshot_not_allowed',
  'Snapshot isolation was turned off, or is being turned on, while the database was read. It is read again.',
);
const changed = verdict('transient', 'table_changed', 'The table was altered while it was read. It is read again.');
const login = verdict('config', 'login_refused', 'The login is not allowed: see the log of the server for the reason.');

// https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors
// and https://learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues
const NUMBERS: { readonly [number: number]: Verdict } = {
  64: lost,
  207: changed,
  208: verdict('config', 'table_missing', 'The table was dropped or renamed; leave it out, or run a full sync.'),
  229: refused,
  230: refused,
  233: lost,
  701: verdict('transient', 'server_out_of_memory', AGAIN),
  916: verdict(
    'config',
    'permission_denied',
    'The login has no user in connection.database: CREATE USER ... FOR LOGIN.',
  ),
  1205: verdict('transient', 'deadlock', AGAIN),
  1222: verdict('transient', 'lock_not_available', AGAIN),
  3952: noSnapshot,
  3956: noSnapshot,
  3960: verdict('transient', 'snapshot_conflict', AGAIN),
  3961: changed,
  4060: verdict(
    'transient',
    'database_unavailable',
    'Check connection.database, and that the user may use it; a database that is starting or moving answers the same.',
  ),
  4413: verdict('config', 'view_invalid', 'The view names what is not there.'),
  10053: lost,
  10054: lost,
  10060: unreachable,
  10928: busy,
  10929: busy,
  18452: login,
  18456: verdict(
    'config',
    AUTHENTICATION_FAILED,
    'Check connection.username and connection.password, or whether connection.access_token has ended.',
  ),
  18470: login,
  18486: login,
  18487: verdict('config', 'login_refused', 'The password of the login has expired.'),
  18488: verdict('config', 'login_refused', 'The password of the login has to be changed first.'),
  40197: busy,
  40501: busy,
  40532: verdict('config', 'login_refused', 'Check connection.server: it knows no such login.'),
  40613: verdict('transient', 'database_unavailable', AGAIN),
  40615: verdict('config', 'login_refused', 'The firewall of the Azure server does not let this address in.'),
  49918: busy,
  49919: busy,
  49920: busy,
};

const CODES: { readonly [code: string]: Verdict } = {
  ...NETWORK_CODES,
  ECLOSE: lost,
  ESOCKET: lost,
  ETIMEOUT: verdict(
    'transient',
    'timed_out',
    'The server did not answer in time: raise connection.connect_timeout or connection.statement_timeout.',
  ),
  ECANCEL: verdict('transient', 'statement_cancelled', AGAIN),
  EINSTLOOKUP: verdict(
    'transient',
    'instance_unknown',
    'Check connection.instance, and that the SQL Server Browser runs; or give connection.port.',
  ),
  EENCRYPT: verdict('config', 'tls_not_offered', 'Server and connection.encrypt do not agree on encryption.'),
  ELOGIN: login,
  EFEDAUTH: verdict('config', AUTHENTICATION_FAILED, 'Check connection.access_token.'),
};

interface Errors {
  readonly code?: unknown;
  readonly number?: unknown;
  readonly message?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** What an error of the driver, the server, the network or TLS means. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, message, cause, errors } = error as Errors;
  // Several errors of one statement: the first says why.
  if (errors?.[0] !== undefined) return classify(errors[0]);
  const number = numberOf(error);
  const named = typeof code === 'string' ? (CODES[code] ?? tlsVerdict(code)) : undefined;
  const known = (number === undefined ? undefined : NUMBERS[number]) ?? named;
  if (code === 'ESOCKET' && cause !== undefined) return classify(cause) ?? faultOf(lost, error, message);
  return known && faultOf(known, error, message || String(code));
}

function faultOf(known: Verdict, cause: unknown, message = ''): Fault {
  return new Fault(known.kind, known.code, message, { hint: known.hint, cause });
}

function numberOf(error: unknown): number | undefined {
  const { number, cause } = error as Errors;
  if (typeof number === 'number') return number;
  return typeof cause === 'object' && cause !== null ? numberOf(cause) : undefined;
}
