import { AUTHENTICATION_FAILED, Fault, type FaultDetails, type FaultKind } from '../../core/fault';

/** How an error of the server or the network is to be treated, by its SQLSTATE (or class of it) or Node code. */
interface Verdict {
  readonly kind: FaultKind;
  readonly code: string;
  readonly hint?: string;
  readonly retryAfterMs?: number;
}

const UNREACHABLE = {
  kind: 'transient',
  code: 'server_unreachable',
  hint: 'Check that the destination server runs and that host, port and firewall are right. The run goes on by itself.',
} as const;
const LOST_CONNECTION = { kind: 'transient', code: 'connection_lost' } as const;
const WRONG_CERTIFICATE = {
  kind: 'config',
  code: 'certificate_not_trusted',
  hint: 'Give the authority in ssl.ca or the certified name in ssl.server_name. Only ssl.verification "off" skips the check.',
} as const;

const NODE_CODES: { readonly [code: string]: Verdict } = {
  ECONNREFUSED: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  ENOTFOUND: { kind: 'config', code: 'unknown_host', hint: 'Correct the host name of the destination.' },
  ECONNRESET: LOST_CONNECTION,
  EPIPE: LOST_CONNECTION,
  ECONNABORTED: LOST_CONNECTION,
  ERR_STREAM_DESTROYED: LOST_CONNECTION,
  ERR_STREAM_PREMATURE_CLOSE: LOST_CONNECTION,
  ERR_TLS_CERT_ALTNAME_INVALID: WRONG_CERTIFICATE,
  DEPTH_ZERO_SELF_SIGNED_CERT: WRONG_CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: WRONG_CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: WRONG_CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT: WRONG_CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: WRONG_CERTIFICATE,
  CERT_HAS_EXPIRED: WRONG_CERTIFICATE,
};

const WRONG_LOGIN = {
  kind: 'config',
  code: AUTHENTICATION_FAILED,
  hint: "Correct username and password of the destination, and see that the server's pg_hba.conf lets this role in.",
} as const;

/** SQLSTATEs, or their first two characters. */
const SQL_STATES: { readonly [state: string]: Verdict } = {
  '28': WRONG_LOGIN,
  '3D000': { kind: 'config', code: 'database_not_found', hint: 'Create the database, or correct its name.' },
  '42501': {
    kind: 'config',
    code: 'permission_denied',
    hint: 'Grant the role CREATE on the database (or make it the owner of the schema and its tables).',
  },
  '08': LOST_CONNECTION,
  '57P': { kind: 'transient', code: 'server_restarting' },
  '57014': { kind: 'transient', code: 'query_cancelled' },
  '53100': {
    kind: 'transient',
    code: 'disk_full',
    hint: 'Free space on the destination server; the run goes on by itself.',
    retryAfterMs: 60_000,
  },
  '53300': {
    kind: 'transient',
    code: 'too_many_connections',
    hint: 'Raise max_connections of the server or lower ours.',
  },
  '53': { kind: 'transient', code: 'server_out_of_resources', retryAfterMs: 10_000 },
  '25006': {
    kind: 'transient',
    code: 'server_read_only',
    hint: 'The server takes no writes: it is a standby or set to read only. Name the primary server.',
    retryAfterMs: 10_000,
  },
  '25P03': LOST_CONNECTION,
  '25P04': LOST_CONNECTION,
  '40001': { kind: 'transient', code: 'serialization_failure' },
  '40P01': { kind: 'transient', code: 'deadlock' },
  '55P03': {
    kind: 'transient',
    code: 'table_busy',
    hint: 'Another session holds a lock on the table; end it or wait.',
  },
  '55006': { kind: 'transient', code: 'table_busy', hint: 'Another session uses the table; end it or wait.' },
  '2BP01': {
    kind: 'config',
    code: 'dependent_objects',
    hint: 'Drop the named objects, or create them again afterwards.',
  },
  '22': { kind: 'data', code: 'value_refused' },
  '23': { kind: 'data', code: 'constraint_violated' },
  '54000': { kind: 'data', code: 'value_too_large' },
  '58030': { kind: 'transient', code: 'server_input_output_error', retryAfterMs: 10_000 },
};

/** An error of `pg` or of the network as a fault; `undefined` when it is neither. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  const code = errorCode(error);
  if (code === undefined) return undefined;
  const verdict = NODE_CODES[code] ?? sqlVerdict(code);
  return verdict && fault(verdict, errorMessage(error), error);
}

/** The SQLSTATE or Node code of an error. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What an error says; errors of the runtime itself may be of another realm, so their class does not tell. */
export function errorMessage(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  return hasMessage ? String(error.message) : String(error);
}

/** The server refused a value or a row, so that other rows of the batch may still be loaded. */
export function isDataError(error: unknown): boolean {
  return classify(error)?.kind === 'data' && !(error instanceof Fault);
}

function sqlVerdict(code: string): Verdict | undefined {
  if (!/^[0-9A-Z]{5}$/.test(code)) return undefined;
  return SQL_STATES[code] ?? SQL_STATES[code.slice(0, 3)] ?? SQL_STATES[code.slice(0, 2)];
}

function fault({ kind, code, hint, retryAfterMs }: Verdict, message: string, cause: unknown): Fault {
  const details: FaultDetails = {
    cause,
    ...(hint !== undefined && { hint }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return new Fault(kind, code, message, details);
}
