import { AUTHENTICATION_FAILED, Fault, type Verdict, verdict } from '../../core/fault';
import { NETWORK_CODES, tlsVerdict } from '../shared/network-codes';

const AGAIN = 'It is tried again by itself; if it stays, look at the log of the server.';
const electing = verdict('transient', 'server_restarting', AGAIN);
const { ECONNREFUSED: unreachable = electing, ECONNRESET: lostConnection = electing } = NETWORK_CODES;
const login = verdict(
  'config',
  AUTHENTICATION_FAILED,
  'Check connection.username and connection.password, and connection.auth_database, which holds the user.',
);
const ended = verdict(
  'transient',
  'statement_cancelled',
  'A time limit or somebody ended the operation: raise connection.statement_timeout, or add an index.',
);
const changed = verdict('transient', 'collection_changed', 'The collection changed while reading. It is read again.');
const missing = verdict('config', 'collection_missing', 'It was dropped or renamed; leave it out, or run a full sync.');
const history = verdict(
  'lost',
  'change_stream_lost',
  'The oplog does not hold all changes since the last sync: make it larger (replSetResizeOplog, or storage.oplogMinRetentionHours), or sync more often. Everything is read again.',
);
const old = verdict('config', 'server_too_old', 'MongoDB 4.4 or later is needed; upgrade the server.');
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
const SERVER: { readonly [code: number]: Verdict } = {
  6: unreachable,
  7: unreachable,
  11: login,
  13: verdict(
    'config',
    'permission_denied',
    'Grant the role "read" on the database to the user; without connection.username nobody is logged in.',
  ),
  18: login,
  26: missing,
  43: verdict('transient', 'cursor_lost', 'The server forgot the cursor, which was idle for long. It is read on.'),
  50: ended,
  59: old,
  73: verdict('config', 'invalid_name', 'The name of the database or collection is not allowed; check it.'),
  89: unreachable,
  91: electing,
  134: verdict('transient', 'no_majority', 'The replica set has no majority at the moment. It is tried again.'),
  136: changed,
  175: changed,
  189: electing,
  237: ended,
  260: history,
  262: ended,
  280: history,
  286: history,
  292: verdict(
    'config',
    'sort_memory',
    'The server may not sort on disk: add an index over the cursor and _id, in this order.',
  ),
  8000: login,
  9001: lostConnection,
  10107: electing,
  11600: electing,
  11601: ended,
  11602: electing,
  10334: verdict(
    'data',
    'document_too_large',
    'A change has more than 16 MB: make the document smaller, or leave its collection out by "collections".',
  ),
  13435: electing,
  13436: electing,
  40573: verdict(
    'config',
    'change_streams_unavailable',
    'The server must be a member of a replica set (one member is enough: start it with --replSet and run rs.initiate()); or set sync_settings.mode to "incremental".',
  ),
  // Of a resume token that is none.
  40647: history,
  40649: history,
};

// Of the name service.
const NO_RECORDS = verdict(
  'config',
  'host_unknown',
  'The name has no list of servers: use mongodb:// in place of mongodb+srv://.',
);
const SYSTEM: { readonly [code: string]: Verdict } = { ...NETWORK_CODES, ENODATA: NO_RECORDS };

// By name: an error of another realm (a worker, a test's sandbox) is no instance of the driver's class.
const CLASSES: { readonly [name: string]: Verdict } = {
  MongoServerSelectionError: verdict(
    'transient',
    'unreachable',
    'No server that can be read from answers: check the hosts, connection.replica_set and connection.read_preference.',
  ),
  MongoNetworkTimeoutError: unreachable,
  MongoOperationTimeoutError: ended,
  MongoNetworkError: lostConnection,
  MongoPoolClearedError: lostConnection,
  PoolClearedOnNetworkError: lostConnection,
  MongoPoolClosedError: lostConnection,
  MongoNotConnectedError: lostConnection,
  MongoTopologyClosedError: lostConnection,
  MongoClientClosedError: lostConnection,
  MongoUnexpectedServerResponseError: lostConnection,
  MongoCompatibilityError: old,
  MongoMissingCredentialsError: login,
};

interface DriverError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly cause?: unknown;
  /** Of a failed selection: what is known of the servers. */
  readonly reason?: { readonly servers?: ReadonlyMap<string, { readonly error?: unknown }> };
  readonly errors?: readonly Error[];
}

/** What an error of the driver, the server, the network or TLS means. */
export function classify(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  if (typeof error !== 'object' || error === null) return undefined;
  const found = error as DriverError;
  const inner = innerErrors(found)
    .map(classify)
    .find((fault) => fault !== undefined);
  if (inner?.code === 'address_refused') return inner;
  const known = judge(found);
  // What is beneath says more than that no server could be selected, or that the network failed.
  if (inner && (known === undefined || isVague(found))) return inner;
  return known && new Fault(known.kind, known.code, describe(found), { hint: known.hint, cause: error });
}

function innerErrors({ cause, reason }: DriverError): readonly unknown[] {
  return [...[...(reason?.servers?.values() ?? [])].map((server) => server.error), cause];
}

function isVague({ name }: DriverError): boolean {
  return name === 'MongoServerSelectionError' || name === 'MongoNetworkError';
}

function judge({ code, name = '' }: DriverError): Verdict | undefined {
  if (typeof code === 'number') return SERVER[code] ?? CLASSES[name];
  return (typeof code === 'string' ? (SYSTEM[code] ?? tlsVerdict(code)) : undefined) ?? CLASSES[name];
}

// Attempts over several addresses fail with an AggregateError without a text of its own.
function describe({ message, errors, code }: DriverError): string {
  return message || errors?.map((one) => one.message).join('; ') || String(code);
}
