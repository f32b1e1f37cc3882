import pg from 'pg';
import { Fault } from '../../core/fault';
import { ruledSocket } from '../shared/ruled-socket';
import { SilenceWatch } from '../shared/silence';
import { within } from '../shared/within';
import { cancelStatement } from './cancel';
import { classify } from './classify';
import { CopyBoth } from './copy-both';
import { CopyOut } from './copy-out';
import type { Endpoint } from './endpoint';
import { askForTls, encrypt, openSocket } from './socket';

/** One row of a catalog query: every cell as PostgreSQL's text. */
export type TextRow = { readonly [column: string]: string | null };

/** One logged-in connection, with the settings on which the form of values depends. */
export interface Session {
  /** As in `server_version_num`: 150018. */
  readonly version: number;
  readonly serverEncoding: string;
  readonly pid: number;
  readonly closed: boolean;
  /** Runs one or several statements without parameters; gives the rows of the last. */
  query(sql: string): Promise<readonly TextRow[]>;
  /** Starts `COPY ... TO STDOUT`. It must be read to its end, or the session destroyed. */
  copy(sql: string): AsyncIterable<Buffer>;
  /** Starts `START_REPLICATION`, in a session that was opened for it. It must be finished, or the session destroyed. */
  replicate(sql: string): CopyBoth;
  /** Cancels what the server is doing for this session, and drops the connection at once. */
  destroy(): void;
  close(): Promise<void>;
}

interface Result {
  readonly rows: TextRow[];
}

// Everything that decides how a value looks, and what could end or disorder a long read.
const SETTINGS = [
  `SET timezone = 'UTC'`,
  `SET datestyle = 'ISO, YMD'`,
  `SET intervalstyle = 'postgres'`,
  'SET extra_float_digits = 3',
  `SET bytea_output = 'hex'`,
  'SET standard_conforming_strings = on',
  'SET default_transaction_read_only = on',
  'SET idle_in_transaction_session_timeout = 0',
  'SET synchronize_seqscans = off',
  'SET max_parallel_workers_per_gather = 0',
  'SET jit = off',
];
// Only what comes from the log is not cast: there amounts of money look as the language of the session has them.
const LOG_SETTINGS = [`SET lc_monetary = 'C'`];
const TRANSACTION_TIMEOUT_VERSION = 170000;
// The connections of a snapshot are idle for long; what lies between forgets such ones after a few minutes.
const KEEP_ALIVE_MS = 60_000;

/** Connects and logs in, with `replication` for one that can follow the log. Rejects with the driver's error. */
export async function openSession(
  endpoint: Endpoint,
  { replication = false }: { readonly replication?: boolean } = {},
): Promise<Session> {
  const password = endpoint.freshPassword ? await endpoint.freshPassword() : endpoint.password;
  const socket = ruledSocket(endpoint.network);
  const client = new pg.Client({
    ...(replication && { replication: 'database' }),
    host: endpoint.host,
    port: endpoint.port,
    database: endpoint.database,
    user: endpoint.username,
    // Always a text, so that the driver does not look into the environment and ~/.pgpass of whoever runs us.
    password: password?.reveal() ?? '',
    ssl: endpoint.tls ?? false,
    application_name: endpoint.applicationName,
    connectionTimeoutMillis: endpoint.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    stream: () => socket,
    types: { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig,
  });
  const parameters = new Map<string, string>();
  client.connection.on('parameterStatus', (message: { parameterName: string; parameterValue: string }) => {
    parameters.set(message.parameterName, message.parameterValue);
  });
  let closed = false;
  client.on('error', () => {
    closed = true; // whoever uses the session is told by its query
  });
  client.on('end', () => {
    closed = true;
  });
  await connect(client, endpoint);
  const watch = new SilenceWatch(
    {
      heard: () => socket.bytesRead,
      isPaused: () => client.connection.stream.isPaused(),
      ask: () => signOfLife(endpoint),
      giveUp: (fault) => void client.connection.stream.destroy(fault),
    },
    endpoint.connectTimeoutMs,
    classify,
  );
  const version = versionNumber(parameters.get('server_version') ?? '');
  await watch.during(() => client.query(settings(endpoint, version, replication)));
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  return {
    version,
    serverEncoding: parameters.get('server_encoding') ?? 'UTF8',
    pid: processID,
    get closed() {
      return closed;
    },
    async query(sql) {
      const result = (await watch.during(() => client.query(sql)).catch(withCode)) as unknown as Result | Result[];
      return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
    },
    async *copy(sql) {
      const copy = client.query(new CopyOut(sql));
      watch.begin();
      try {
        yield* copy;
      } catch (error) {
        withCode(error);
      } finally {
        watch.end();
      }
    },
    replicate(sql) {
      watch.begin();
      return client.query(new CopyBoth(sql, () => watch.end()));
    },
    destroy() {
      if (closed) return;
      closed = true;
      cancelStatement(endpoint, processID, secretKey);
      client.connection.stream.destroy();
    },
    async close() {
      if (closed) return;
      closed = true;
      // A server that hangs does not close its side.
      if (!(await within(endpoint.connectTimeoutMs, client.end()))) client.connection.stream.destroy();
    },
  };
}

async function connect(client: pg.Client, endpoint: Endpoint): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    client.connection.stream.destroy();
    if ((error as { code?: string }).code !== undefined) throw error;
    throw await explain(error, endpoint);
  }
}

/** The first answer to anybody, before a login. */
async function signOfLife(endpoint: Endpoint): Promise<void> {
  const socket = await openSocket(endpoint);
  try {
    await askForTls(socket);
  } finally {
    socket.destroy();
  }
}

// The driver gives no code to errors of its own, so look again at what can be seen from outside.
async function explain(error: unknown, endpoint: Endpoint): Promise<unknown> {
  const socket = await openSocket(endpoint);
  try {
    if (endpoint.tls) await encrypt(endpoint, socket);
  } finally {
    socket.destroy();
  }
  if (endpoint.password !== undefined || endpoint.freshPassword !== undefined) return connectionLost(error);
  return new Fault('config', 'password_required', 'the server asks for a password, and none is configured', {
    hint: 'Set connection.password, for instance to "${DB_PASSWORD}".',
    cause: error,
  });
}

function withCode(error: unknown): never {
  throw (error as { code?: string }).code === undefined ? connectionLost(error) : error;
}

function connectionLost(cause: unknown): Fault {
  const { message = String(cause) } = cause as { message?: string };
  return new Fault('transient', 'connection_lost', message, { hint: 'It is tried again by itself.', cause });
}

function settings(endpoint: Endpoint, version: number, replication: boolean): string {
  const { statementTimeoutMs } = endpoint;
  return [
    ...SETTINGS,
    ...(replication ? LOG_SETTINGS : []),
    ...(version >= TRANSACTION_TIMEOUT_VERSION ? ['SET transaction_timeout = 0'] : []),
    ...(statementTimeoutMs === undefined ? [] : [`SET statement_timeout = ${statementTimeoutMs}`]),
  ].join(';');
}

/** `15.18 (Debian ...)` as 150018. */
export function versionNumber(text: string): number {
  const [major = '0', minor = '0'] = /^(\d+)(?:\.(\d+))?/.exec(text)?.slice(1) ?? [];
  return Number(major) * 10_000 + Number(minor);
}
