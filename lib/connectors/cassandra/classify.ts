import { AUTHENTICATION_FAILED, Fault, messageOf, type Verdict, verdict } from '../../core/fault';

const AGAIN = 'It is tried again by itself; if it stays, look at the log of the cluster.';
const login = verdict('config', AUTHENTICATION_FAILED, 'Check connection.username and connection.password.');
const slow = verdict(
  'transient',
  'read_timeout',
  'It is tried again by itself; if it stays, lower connection.max_connections, or look for partitions full of tombstones.',
);
const unreachable = verdict(
  'transient',
  'unreachable',
  'Check host and port, that the cluster runs, and that a firewall lets this machine through.',
);
const lost = verdict('transient', 'connection_lost', AGAIN);
const untrusted = verdict(
  'config',
  'tls_untrusted',
  "Put the certificate of the authority that signed the nodes' certificates into connection.ssl.ca.",
);
const tlsFailed = verdict(
  'config',
  'tls_failed',
  'The TLS handshake failed; check connection.ssl and the certificates of both sides.',
);

// Codes of the native protocol: https://cassandra.apache.org/doc/latest/cassandra/reference/native-protocol.html
const RESPONSES: { readonly [code: number]: Verdict } = {
  0: verdict('transient', 'server_error', AGAIN),
  10: verdict('config', 'protocol_refused', 'That port does not speak CQL as this driver does; check connection.port.'),
  256: login,
  4096: verdict(
    'transient',
    'unavailable',
    'Too few replicas are up for connection.consistency. It is tried again by itself; if it stays, repair the nodes.',
  ),
  4097: verdict('transient', 'overloaded', 'Lower connection.max_connections, or read when there is less to do.'),
  4098: verdict('transient', 'server_restarting', AGAIN),
  4608: slow,
  4864: verdict(
    'transient',
    'read_failure',
    'A replica gave up, often at too many tombstones (tombstone_failure_threshold): compact the table, or lower gc_grace_seconds.',
  ),
  5120: verdict('transient', 'function_failure', AGAIN),
  8192: verdict(
    'config',
    'statement_refused',
    'The server does not know this syntax: versions before 3.11 cannot be read.',
  ),
  8448: verdict('config', 'permission_denied', 'GRANT SELECT on the table or its keyspace to the role.'),
  8704: verdict(
    'transient',
    'table_changed',
    'A table or column was dropped or renamed while reading. It is read again.',
  ),
  8960: verdict(
    'config',
    'server_configuration',
    'The server refuses this because of its configuration; see its message.',
  ),
  9472: verdict('transient', 'statement_forgotten', AGAIN),
};

const CODES: { readonly [code: string]: Verdict } = {
  ECONNREFUSED: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  ENOTFOUND: verdict('config', 'host_unknown', 'Check the spelling of connection.host and connection.contact_points.'),
  EAI_AGAIN: verdict('transient', 'name_service', 'The name service does not answer; check the network.'),
  ECONNRESET: lost,
  EPIPE: lost,
  ERR_TLS_CERT_ALTNAME_INVALID: verdict(
    'config',
    'tls_wrong_name',
    'A certificate is for another name: set connection.ssl.server_name, or connection.ssl.verification to "ca".',
  ),
  CERT_HAS_EXPIRED: verdict('config', 'tls_expired', 'Renew the certificates of the nodes.'),
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  ERR_SSL_WRONG_VERSION_NUMBER: verdict('config', 'tls_not_offered', 'The nodes do not speak TLS; check port and ssl.'),
};

const CLASSES: { readonly [name: string]: Verdict } = {
  AuthenticationError: login,
  OperationTimedOutError: slow,
  BusyConnectionError: verdict('transient', 'overloaded', AGAIN),
  NoHostAvailableError: unreachable,
  DriverError: lost,
  NotSupportedError: verdict('config', 'server_unsupported', 'This version of the server cannot be read.'),
};

/** What an error of the driver, the cluster, the network or TLS means. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  // Not by class: an error of another realm (a worker, a test's sandbox) is none of ours.
  if (typeof error !== 'object' || error === null) return undefined;
  const inner = innerFault(error);
  if (inner) return inner;
  const known = judge(error as DriversError);
  return known && new Fault(known.kind, known.code, messageOf(error), { hint: known.hint, cause: error });
}

interface DriversError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly innerErrors?: { readonly [host: string]: unknown };
}

function judge({ name, code }: DriversError): Verdict | undefined {
  if (typeof code === 'number') return name === 'ResponseError' ? RESPONSES[code] : undefined;
  if (typeof code === 'string') {
    return CODES[code] ?? (/^ERR_(SSL|TLS|OSSL)_/.test(code) ? tlsFailed : undefined);
  }
  return typeof name === 'string' && Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
}

/** Of the errors of all hosts that were tried, the one that somebody has to do something about. */
function innerFault({ innerErrors }: DriversError): Fault | undefined {
  const faults = Object.entries(innerErrors ?? {}).flatMap(([host, error]) => {
    const fault = classify(error);
    return fault ? [new Fault(fault.kind, fault.code, `${host}: ${fault.message}`, faultDetails(fault, error))] : [];
  });
  return faults.find(({ kind }) => kind === 'config') ?? faults[0];
}

function faultDetails({ hint }: Fault, cause: unknown) {
  return { cause, ...(hint !== undefined && { hint }) };
}
