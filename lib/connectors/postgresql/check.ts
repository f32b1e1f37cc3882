import type { Socket } from 'node:net';
import type { CheckReport } from '../../core/check';
import { Fault } from '../../core/fault';
import { isLoopback, type Outcome, resolveStep, runSteps, type Step } from '../shared/check-steps';
import { classify } from './classify';
import type { PostgresqlConfig } from './config';
import { selectedRelations, streamInfos } from './discover';
import type { Endpoint } from './endpoint';
import type { Relation } from './relation';
import { openSession, type Session } from './session';
import { encrypt, openSocket } from './socket';

interface Progress {
  socket?: Socket;
  session?: Session;
  relations?: readonly Relation[];
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(endpoint: Endpoint, config: PostgresqlConfig, signal: AbortSignal): Promise<CheckReport> {
  const progress: Progress = {};
  return runSteps(stepsOf(endpoint, config, progress), {
    signal,
    classify,
    stop() {
      progress.socket?.destroy();
      progress.session?.destroy();
    },
    async close() {
      progress.socket?.destroy();
      await progress.session?.close();
    },
  });
}

function stepsOf(endpoint: Endpoint, config: PostgresqlConfig, progress: Progress): Step[] {
  const { host, port, network } = endpoint;
  return [
    resolveStep(host, network),
    {
      name: 'connect',
      async run() {
        progress.socket = await openSocket(endpoint);
        return `${host}:${port} answers`;
      },
    },
    { name: 'tls', run: () => tls(endpoint, progress) },
    { name: 'authenticate', run: () => authenticate(endpoint, progress) },
    { name: 'database', run: () => database(endpoint, sessionOf(progress)) },
    { name: 'permissions', run: () => permissions(config, progress) },
    { name: 'read', run: () => readOne(progress) },
  ];
}

async function tls(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  const { socket } = progress;
  try {
    if (socket === undefined) throw new Fault('bug', 'no_socket', 'nothing is connected');
    if (endpoint.tls) {
      const secure = await encrypt(endpoint, socket);
      const verified = endpoint.tls.rejectUnauthorized !== false;
      const found = `${secure.getProtocol() ?? 'TLS'}${verified ? ', certificate verified' : ''}`;
      secure.destroy();
      if (verified) return found;
      return {
        warning: `${found}; the server is not verified`,
        hint: 'Set connection.ssl.verification to "full" and connection.ssl.ca to the authority of the server.',
      };
    }
    if (endpoint.host.startsWith('/') || isLoopback(socket.remoteAddress)) return 'not used; this is the same machine';
    return { warning: 'the connection is not encrypted', hint: 'Set connection.ssl to true.' };
  } finally {
    socket?.destroy();
  }
}

async function authenticate(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  progress.session = await openSession(endpoint);
  return `logged in as ${endpoint.username}`;
}

function sessionOf({ session }: Progress): Session {
  if (session === undefined) throw new Fault('bug', 'no_session', 'nobody is logged in');
  return session;
}

async function database(endpoint: Endpoint, session: Session): Promise<Outcome> {
  const [row] = await session.query(
    `select current_setting('server_version') as version, pg_is_in_recovery() as standby`,
  );
  const detail = `${endpoint.database} on PostgreSQL ${row?.version}, encoding ${session.serverEncoding}`;
  if (session.version < 130000) {
    return { warning: detail, hint: 'Versions before 13 are not tested; upgrade the server.' };
  }
  if (row?.standby !== 't') return detail;
  return {
    warning: `${detail}; it is a standby`,
    hint: 'Transactions still open at the primary cannot all be seen here: set sync_strategy.lookback to the longest one, or read the primary.',
  };
}

async function permissions(config: PostgresqlConfig, progress: Progress): Promise<Outcome> {
  const relations = await selectedRelations(sessionOf(progress), config);
  const infos = streamInfos(relations);
  const refused = infos.filter((info) => info.unreadable);
  progress.relations = relations.filter((_, index) => infos[index]?.unreadable === undefined);
  if (infos.length === 0) {
    throw new Fault('config', 'nothing_selected', 'no table or view is selected', {
      hint: 'Check "schemas" and "tables", and that the role may see them.',
    });
  }
  if (progress.relations.length === 0) {
    throw refused[0]?.unreadable ?? new Fault('config', 'permission_denied', 'no table can be read');
  }
  const readable = `${progress.relations.length} of ${infos.length} tables and views can be read`;
  if (refused.length === 0) return readable;
  const names = refused.slice(0, 5).map((info) => info.schema.stream);
  return {
    warning: `${readable}; not ${names.join(', ')}${refused.length > names.length ? ', ...' : ''}`,
    hint: refused[0]?.unreadable?.hint ?? 'GRANT SELECT on them to the role.',
  };
}

async function readOne(progress: Progress): Promise<Outcome> {
  const [relation] = progress.relations ?? [];
  if (relation === undefined) return 'nothing to read';
  const [first] = relation.reads;
  const rows = await sessionOf(progress).query(`select ${first?.expression ?? '1'} from ${relation.source} limit 1`);
  return rows.length === 0 ? `${relation.schema.stream} is empty` : `a row of ${relation.schema.stream} was read`;
}
