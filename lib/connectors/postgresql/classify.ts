import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../core/fault';
import { NETWORK_CODES, tlsVerdict } from '../shared/network-codes';

const AGAIN = 'It is tried again by itself; if it stays, look at the log of the server.';
const starting = verdict('transient', 'server_restarting', AGAIN);
const full = verdict(
  'transient',
  'too_many_connections',
  'Lower connection.max_connections, or raise max_connections at the server or the limit of the role.',
);
const login = verdict('config', AUTHENTICATION_FAILED, 'Check connection.username and connection.password.');
const rejected = verdict(
  'config',
  'login_refused',
  "The server's pg_hba.conf does not let this role in from here, or wants TLS or a client certificate made for this role: add a line there, or set connection.ssl, with connection.ssl.cert and connection.ssl.key.",
);

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const STATES: { readonly [state: string]: Verdict } = {
  '28P01': login,
  '28000': rejected,
  '3D000': verdict('config', 'database_missing', 'Check connection.database.'),
  '42501': verdict('config', 'permission_denied', 'GRANT USAGE on the schema and SELECT on the table to the role.'),
  '42P01': verdict('config', 'table_missing', 'The table was dropped or renamed; leave it out, or run a full sync.'),
  '3F000': verdict('config', 'table_missing', 'The schema was dropped or renamed; leave it out, or run a full sync.'),
  '42703': verdict('transient', 'table_changed', 'A column was dropped or renamed while reading. It is read again.'),
  '42883': verdict(
    'config',
    'cursor_without_order',
    'The type of the cursor column has no order; choose another cursor.',
  ),
  '42804': verdict('transient', 'table_changed', 'A column changed its type while reading. It is read again.'),
  '0A000': verdict('transient', 'table_changed', AGAIN),
  '22021': verdict(
    'data',
    'invalid_text',
    'The database holds text that is not valid in its encoding. Correct it, or leave the table out.',
  ),
  '22P05': verdict('data', 'invalid_text', 'A character has no UTF-8 form. Correct it, or leave the table out.'),
  '53300': full,
  '53200': verdict('transient', 'server_out_of_memory', AGAIN),
  '55P03': verdict('transient', 'lock_not_available', AGAIN),
  '40001': verdict('transient', 'conflict', 'On a standby: raise max_standby_streaming_delay, or read the primary.'),
  '40P01': verdict('transient', 'deadlock', AGAIN),
  '57014': verdict(
    'transient',
    'statement_cancelled',
    "A time-out or somebody cancelled the statement: raise connection.statement_timeout or the role's own.",
  ),
  '57P01': starting,
  '57P02': starting,
  '57P03': starting,
  '57P04': verdict('config', 'database_missing', 'The database was dropped.'),
  '58030': verdict('transient', 'server_io_error', AGAIN),
};
const CLASSES: { readonly [firstTwo: string]: Verdict } = {
  '08': verdict('transient', 'connection_lost', AGAIN),
  '28': login,
  '40': verdict('transient', 'conflict', AGAIN),
  '53': verdict('transient', 'server_resources', AGAIN),
  '55': verdict('transient', 'object_not_ready', AGAIN),
  '57': starting,
  '58': verdict('transient', 'server_io_error', AGAIN),
};

const CODES: { readonly [code: string]: Verdict } = {
  ...NETWORK_CODES,
  ENOENT: verdict('config', 'socket_missing', 'There is no server socket in the folder that connection.host names.'),
  ERR_STRING_TOO_LONG: verdict(
    'data',
    'value_too_large',
    'A row is larger than 512 MB. Leave the column out by a view.',
  ),
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: verdict(
    'config',
    'tls_client_certificate',
    'The server does not accept connection.ssl.cert: it must be signed by an authority that the server trusts (ssl_ca_file).',
  ),
};

/** What an error of the driver, the server, the network or TLS means. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  // Not by class: an error of another realm (a worker, a test's sandbox) is none of ours.
  if (typeof error !== 'object' || error === null) return undefined;
  const { code } = error as { code?: unknown };
  const known = typeof code === 'string' ? judge(code) : undefined;
  return known && new Fault(known.kind, known.code, describe(error, code), { hint: known.hint, cause: error });
}

function judge(code: string): Verdict | undefined {
  return (
    STATES[code] ??
    CODES[code] ??
    (/^[0-9A-Z]{5}$/.test(code) ? CLASSES[code.slice(0, 2)] : undefined) ??
    tlsVerdict(code)
  );
}

// Attempts over several addresses fail with an AggregateError without a text of its own.
function describe(error: { message?: string; errors?: readonly Error[] }, code: unknown): string {
  if (error.message) return error.message;
  return error.errors?.map((one) => one.message).join('; ') || String(code);
}
