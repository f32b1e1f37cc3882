import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../core/fault';
import { NETWORK_CODES, tlsVerdict } from '../shared/network-codes';

const AGAIN = 'It is tried again by itself; if it stays, look at the alert log of the server.';
const lost = verdict('transient', 'connection_lost', AGAIN);
const unreachable = verdict(
  'transient',
  'unreachable',
  'Check host and port, that the listener runs, and that a firewall lets this machine through.',
);
const timedOut = verdict(
  'transient',
  'connect_timeout',
  'Check host and port, and that a firewall lets this machine through, or raise connection.connect_timeout.',
);
const full = verdict(
  'transient',
  'too_many_connections',
  'Lower connection.max_connections, or raise PROCESSES and SESSIONS at the server or SESSIONS_PER_USER of the profile.',
);
const refused = verdict('config', 'permission_denied', 'GRANT SELECT or READ on the table to the user.');
const missing = verdict(
  'config',
  'table_missing',
  'The table was dropped or renamed, or the user has no right on it: GRANT SELECT, leave it out, or run a full sync.',
);
const changed = verdict('transient', 'table_changed', 'The table was altered while it was read. It is read again.');
const stopping = verdict('transient', 'server_restarting', AGAIN);
const noService = verdict(
  'config',
  'database_missing',
  'Check connection.service_name; `lsnrctl services` at the server shows those that the listener knows.',
);
const noSid = verdict('config', 'database_missing', 'Check connection.sid, or give connection.service_name instead.');
const cancelled = verdict('transient', 'statement_cancelled', AGAIN);
const noMoment = verdict('transient', 'snapshot_too_old', 'A larger UNDO_RETENTION keeps what long reads see.');
const descriptor = verdict('config', 'descriptor_invalid', 'Check connection.descriptor.');
const method = verdict(
  'config',
  'login_refused',
  'The user logs in by a method that is not known here: give it a password of the 12c verifier.',
);
const tls = verdict('config', 'tls_failed', 'Check connection.ssl, connection.wallet and connection.wallet_password.');

// https://docs.oracle.com/en/error-help/db/
const NUMBERS: { readonly [number: number]: Verdict } = {
  18: full,
  20: full,
  28: lost,
  54: verdict('transient', 'lock_not_available', AGAIN),
  60: verdict('transient', 'deadlock', AGAIN),
  904: changed,
  942: missing,
  1013: cancelled,
  1017: verdict('config', AUTHENTICATION_FAILED, 'Check connection.username and connection.password.'),
  1031: refused,
  1033: stopping,
  1034: stopping,
  1035: verdict('config', 'login_refused', 'The server is in restricted mode: the user would need RESTRICTED SESSION.'),
  1045: verdict('config', 'login_refused', 'GRANT CREATE SESSION to the user.'),
  1089: stopping,
  1090: stopping,
  1109: stopping,
  1410: changed,
  1455: verdict('data', 'number_too_large', 'A number does not fit its type.'),
  1466: changed,
  1555: noMoment,
  1652: verdict(
    'transient',
    'server_resources',
    'The temporary tablespace is full; extend it, or read fewer parts at once.',
  ),
  2391: full,
  3113: lost,
  3114: lost,
  3135: lost,
  4031: verdict('transient', 'server_out_of_memory', AGAIN),
  4036: verdict('transient', 'server_out_of_memory', AGAIN),
  4063: verdict('config', 'view_invalid', 'The view names what is not there, or its owner may not see it.'),
  8103: changed,
  8180: noMoment,
  8181: noMoment,
  12514: noService,
  12505: noSid,
  12516: full,
  12518: full,
  12519: full,
  12520: full,
  12528: stopping,
  12537: lost,
  12541: unreachable,
  12547: lost,
  12170: timedOut,
  22924: noMoment,
  28000: verdict('config', 'login_refused', 'The account is locked: ALTER USER ... ACCOUNT UNLOCK.'),
  28001: verdict('config', 'login_refused', 'The password of the user has expired: ALTER USER ... IDENTIFIED BY.'),
  28040: method,
  29024: tls,
};

// https://node-oracledb.readthedocs.io/en/latest/user_guide/exception_handling.html; those that are no number of the server.
const CODES: { readonly [code: string]: Verdict } = {
  ...NETWORK_CODES,
  'NJS-003': lost,
  'NJS-101': verdict('config', 'password_required', 'Set connection.password, for instance to "${ORACLE_PASSWORD}".'),
  'NJS-115': method,
  'NJS-116': method,
  'NJS-123': verdict(
    'transient',
    'timed_out',
    'The server worked longer than connection.statement_timeout on one answer: raise it.',
  ),
  'NJS-138': verdict('config', 'server_too_old', 'Oracle Database 12.1 and later can be read.'),
  'NJS-500': lost,
  'NJS-501': lost,
  'NJS-503': unreachable,
  'NJS-505': tls,
  'NJS-507': verdict(
    'config',
    'tls_wrong_name',
    'SSL_SERVER_CERT_DN in connection.descriptor is not the name in the certificate.',
  ),
  'NJS-509': lost,
  'NJS-510': timedOut,
  // The number of the listener is in its message alone.
  'NJS-511': verdict(
    'transient',
    'listener_refused',
    'The listener could not hand over to a server; its log says why.',
  ),
  'NJS-512': descriptor,
  'NJS-513': lost,
  'NJS-514': descriptor,
  'NJS-515': descriptor,
  'NJS-518': noService,
  'NJS-519': noSid,
  'NJS-521': lost,
  'NJS-522': descriptor,
  'NJS-530': verdict('config', 'host_unknown', 'Check the spelling of the hosts in connection.descriptor.'),
  'NJS-531': lost,
  'NJS-532': verdict(
    'config',
    'encryption_required',
    'The server asks for native encryption, which is not known here: use TCPS.',
  ),
  'NJS-533': verdict(
    'config',
    'encryption_required',
    'The server asks for native encryption, which is not known here: use TCPS.',
  ),
  'NJS-536': verdict('config', 'redirect_refused', 'The listener sends on and on: connect to the server itself.'),
};

interface DriverError {
  readonly code?: unknown;
  readonly errorNum?: unknown;
  readonly message?: string;
}

/** What an error of the driver, the server, the network or TLS means. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, message } = error as DriverError;
  const named = typeof code === 'string' ? (CODES[code] ?? tlsVerdict(code)) : undefined;
  const known = NUMBERS[numberOf(error) ?? -1] ?? named;
  // A link to its help follows on a line of its own.
  const [first] = (message || String(code)).split('\n');
  return known && new Fault(known.kind, known.code, first ?? '', { hint: known.hint, cause: error });
}

/** Whether a right is missing, or what there is no right to see. */
export function isRefused(error: unknown): boolean {
  return REFUSED.has(numberOf(error) ?? -1);
}

/** Whether the server has forgotten the moment that was asked for. */
export function isGoneMoment(error: unknown): boolean {
  return NUMBERS[numberOf(error) ?? -1] === noMoment;
}

/** Whether a table was altered since the moment that was asked for. */
export function isChangedTable(error: unknown): boolean {
  return numberOf(error) === TABLE_DEFINITION_CHANGED;
}

/** Whether the connection is of no use any more. */
export function isLost(error: unknown): boolean {
  return classify(error)?.code === lost.code;
}

const TABLE_DEFINITION_CHANGED = 1466;
// A name that is not known, a table or package that is not shown, and a right that is missing.
const REFUSED = new Set([904, 942, 1031, 6550]);
const ORACLE_CODE = /^ORA-(\d{5})$/;

function numberOf(error: unknown): number | undefined {
  const { errorNum, code } = (error ?? {}) as DriverError;
  if (typeof errorNum === 'number' && errorNum > 0) return errorNum;
  const [, number] = ORACLE_CODE.exec(String(code)) ?? [];
  return number === undefined ? undefined : Number(number);
}
