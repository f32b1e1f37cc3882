import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../core/fault';
import { NETWORK_CODES, tlsVerdict } from '../shared/network-codes';

const AGAIN = 'It is tried again by itself; if it stays, look at the log of the server.';
const login = verdict('config', AUTHENTICATION_FAILED, 'Check connection.username and connection.password.');
const lost = verdict('transient', 'connection_lost', AGAIN);
const refused = verdict('config', 'permission_denied', 'GRANT SELECT on the table to the user.');
const missing = verdict(
  'config',
  'table_missing',
  'The table was dropped or renamed; leave it out, or run a full sync.',
);
const changed = verdict('transient', 'table_changed', 'The table was altered while reading. It is read again.');
const stopping = verdict('transient', 'server_restarting', AGAIN);
const full = verdict(
  'transient',
  'too_many_connections',
  'Lower connection.max_connections, or raise max_connections at the server or the limit of the user.',
);
const cancelled = verdict(
  'transient',
  'statement_cancelled',
  "A time-out or somebody cancelled the statement: raise connection.statement_timeout or the server's own.",
);
const insecure = verdict(
  'config',
  'tls_required',
  'The server or the user wants an encrypted connection: set connection.ssl.',
);

// https://mariadb.com/kb/en/mariadb-error-code-reference/ and the same of MySQL; by name, as the driver gives them.
const CODES: { readonly [code: string]: Verdict } = {
  ...NETWORK_CODES,
  ER_ACCESS_DENIED_ERROR: login,
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: login,
  ER_DBACCESS_DENIED_ERROR: verdict(
    'config',
    'permission_denied',
    'The user may not use connection.database: GRANT SELECT on it.',
  ),
  ER_ACCOUNT_HAS_BEEN_LOCKED: verdict(
    'config',
    'login_refused',
    'The account is locked: ALTER USER ... ACCOUNT UNLOCK.',
  ),
  ER_MUST_CHANGE_PASSWORD_LOGIN: verdict('config', 'login_refused', 'The password of the user has expired.'),
  ER_HOST_NOT_PRIVILEGED: verdict('config', 'login_refused', 'The server lets no user in from this address.'),
  ER_HOST_IS_BLOCKED: verdict(
    'transient',
    'login_refused',
    'Too many failed connections from here: FLUSH HOSTS at the server.',
  ),
  ER_NOT_SUPPORTED_AUTH_MODE: verdict(
    'config',
    'login_refused',
    'The user logs in by a method that is not known here.',
  ),
  AUTH_SWITCH_PLUGIN_ERROR: verdict('config', 'login_refused', 'The user logs in by a method that is not known here.'),
  ER_SECURE_TRANSPORT_REQUIRED: insecure,
  HANDSHAKE_NO_SSL_SUPPORT: verdict(
    'config',
    'tls_not_offered',
    'Turn TLS on at the server, or set connection.ssl to false if the network itself is safe.',
  ),
  ER_BAD_DB_ERROR: verdict('config', 'database_missing', 'Check connection.database.'),
  ER_TABLEACCESS_DENIED_ERROR: refused,
  ER_COLUMNACCESS_DENIED_ERROR: refused,
  ER_SPECIFIC_ACCESS_DENIED_ERROR: refused,
  ER_VIEW_INVALID: verdict(
    'config',
    'view_invalid',
    'The view names what is not there, or its definer may not see it.',
  ),
  ER_NO_SUCH_USER: verdict('config', 'view_invalid', 'The definer of the view is not there any more.'),
  ER_NO_SUCH_TABLE: missing,
  ER_NO_SUCH_TABLE_IN_ENGINE: missing,
  ER_BAD_FIELD_ERROR: changed,
  ER_TABLE_DEF_CHANGED: changed,
  ER_NEED_REPREPARE: changed,
  ER_CON_COUNT_ERROR: full,
  ER_TOO_MANY_USER_CONNECTIONS: full,
  ER_USER_LIMIT_REACHED: full,
  ER_QUERY_INTERRUPTED: cancelled,
  ER_QUERY_TIMEOUT: cancelled,
  ER_STATEMENT_TIMEOUT: cancelled,
  ER_LOCK_WAIT_TIMEOUT: verdict('transient', 'lock_not_available', AGAIN),
  ER_LOCK_DEADLOCK: verdict('transient', 'deadlock', AGAIN),
  ER_SERVER_SHUTDOWN: stopping,
  ER_NORMAL_SHUTDOWN: stopping,
  ER_CONNECTION_KILLED: lost,
  ER_DISK_FULL: verdict('transient', 'server_resources', AGAIN),
  ER_OUT_OF_RESOURCES: verdict('transient', 'server_resources', AGAIN),
  ER_OUTOFMEMORY: verdict('transient', 'server_out_of_memory', AGAIN),
  ER_CRASHED_ON_USAGE: verdict('config', 'table_damaged', 'REPAIR TABLE at the server, or leave the table out.'),
  PROTOCOL_CONNECTION_LOST: lost,
  PROTOCOL_SEQUENCE_TIMEOUT: lost,
};

/** What an error of the driver, the server, the network or TLS means. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  // Not by class: an error of another realm (a worker, a test's sandbox) is none of ours.
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errno, message } = error as { code?: unknown; errno?: unknown; message?: string };
  const known = BY_NUMBER[Number(errno)] ?? (typeof code === 'string' ? (CODES[code] ?? tlsVerdict(code)) : undefined);
  return known && new Fault(known.kind, known.code, message || String(code), { hint: known.hint, cause: error });
}

/** Whether a table was altered since the transaction's snapshot. */
export function isChangedTable(error: unknown): boolean {
  return (error as { errno?: unknown } | null)?.errno === TABLE_DEF_CHANGED;
}

/** Whether a right is missing. */
export function isRefused(error: unknown): boolean {
  return CODES[String((error as { code?: unknown } | null)?.code)] === refused;
}

/** Whether an index is hidden from statements: IGNORED in MariaDB, INVISIBLE in MySQL. */
export function isHiddenIndex(error: unknown): boolean {
  return (error as { errno?: unknown } | null)?.errno === KEY_DOES_NOT_EXIST;
}

const TABLE_DEF_CHANGED = 1412;
const KEY_DOES_NOT_EXIST = 1176;
// Numbers that the two servers use for different things, or that the driver does not name.
const BY_NUMBER: { readonly [errno: number]: Verdict } = {
  1927: lost,
  1969: cancelled,
  3024: cancelled,
  3159: insecure,
  4031: lost,
};
