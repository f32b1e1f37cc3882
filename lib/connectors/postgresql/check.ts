import type { Socket } from 'node:net';
import type { CheckReport } from '../../core/check';
import { Fault } from '../../core/fault';
import { firstOutcome, readableOutcome, selectedOf } from '../shared/check-outcomes';
import { isLoopback, type Outcome, resolveStep, runSteps, type Step } from '../shared/check-steps';
import { classify } from './classify';
import type { PostgresqlConfig } from './config';
import { selectedRelations, streamInfos, withChanges } from './discover';
import type { Endpoint } from './endpoint';
import { requireLogicalLog } from './head';
import type { Relation } from './relation';
import { openSession, type Session } from './session';
import { encrypt, openSocket } from './socket';

interface Progress {
  socket?: Socket;
  session?: Session;
  relations?: readonly Relation[];
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(
  endpoint: Endpoint,
  config: PostgresqlConfig,
  signal: AbortSignal,
  follows: boolean,
): Promise<CheckReport> {
  const progress: Progress = {};
  const steps = stepsOf(endpoint, config, progress);
  return runSteps(follows ? [...steps, { name: 'changes', run: () => changes(config, progress) }] : steps, {
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
  progress.relations = relations.filter((_, index) => infos[index]?.unreadable === undefined);
  return readableOutcome(infos.map(selectedOf), {
    things: 'tables and views',
    nothing: 'Check "schemas" and "tables", and that the role may see them.',
    grant: 'GRANT SELECT on them to the role.',
  });
}

async function changes(config: PostgresqlConfig, progress: Progress): Promise<Outcome> {
  const session = sessionOf(progress);
  await requireLogicalLog(session);
  const relations = progress.relations ?? [];
  const infos = await withChanges(session, config, relations, streamInfos(relations));
  const followed = infos.filter(({ modes }) => modes.includes('changes')).length;
  const detail = `${followed} of ${infos.length} tables and views can be followed`;
  if (followed === infos.length) return detail;
  return { warning: detail, hint: 'The others are read as without change capture; "explorerio discover" says why.' };
}

async function readOne(progress: Progress): Promise<Outcome> {
  const [relation] = progress.relations ?? [];
  if (relation === undefined) return 'nothing to read';
  const [first] = relation.reads;
  const rows = await sessionOf(progress).query(`select ${first?.expression ?? '1'} from ${relation.source} limit 1`);
  return firstOutcome(relation.schema.stream, rows.length > 0);
}
