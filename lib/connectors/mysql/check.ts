import type { Socket } from 'node:net';
import type { CheckReport } from '../../core/check';
import { firstOutcome, Login, readableOutcome, selectedOf } from '../shared/check-outcomes';
import { isLoopback, type Outcome, resolveStep, runSteps, type Step } from '../shared/check-steps';
import { sql } from '../shared/sql/fragment';
import { classify } from './classify';
import type { MysqlConfig } from './config';
import { connectedSocket } from './connection';
import { selectedRelations } from './discover';
import type { Endpoint } from './endpoint';
import { mayProcess } from './open-transactions';
import type { MysqlRelation } from './relation';
import { type MysqlSession, openSession } from './session';
import { placeOf, SNAPSHOT_PLACE } from './snapshot';

interface Progress {
  socket?: Socket;
  /** Shakes hands for TLS first. */
  readonly login: Login<MysqlSession>;
  relations?: readonly MysqlRelation[];
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(endpoint: Endpoint, config: MysqlConfig, signal: AbortSignal): Promise<CheckReport> {
  const progress: Progress = { login: new Login() };
  return runSteps(stepsOf(endpoint, config, progress), {
    signal,
    classify,
    stop() {
      progress.socket?.destroy();
      progress.login.opened?.destroy();
    },
    async close() {
      progress.socket?.destroy();
      await progress.login.opened?.close();
    },
  });
}

function stepsOf(endpoint: Endpoint, config: MysqlConfig, progress: Progress): Step[] {
  const { host, port, network, username } = endpoint;
  return [
    resolveStep(host, network),
    {
      name: 'connect',
      async run() {
        progress.socket = await connectedSocket(endpoint);
        return host.startsWith('/') ? `${host} answers` : `${host}:${port} answers`;
      },
    },
    { name: 'tls', run: () => tls(endpoint, progress) },
    {
      name: 'authenticate',
      async run() {
        void progress.login.session;
        return `logged in as ${username}`;
      },
    },
    { name: 'database', run: async () => database(endpoint, progress.login.session) },
    { name: 'permissions', run: () => permissions(endpoint, config, progress) },
    { name: 'read', run: () => readOne(progress) },
  ];
}

async function tls(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  const address = progress.socket?.remoteAddress;
  progress.socket?.destroy();
  const login = await progress.login.attempt(() => openSession(endpoint));
  const failed = login.status === 'rejected' ? classify(login.reason) : undefined;
  if (failed?.code.startsWith('tls_')) throw failed;
  if (endpoint.tls === undefined) {
    if (endpoint.host.startsWith('/') || isLoopback(address)) return 'not used; this is the same machine';
    return { warning: 'the connection is not encrypted', hint: 'Set connection.ssl to true.' };
  }
  if (endpoint.tls.rejectUnauthorized !== false) return 'encrypted, certificate verified';
  return {
    warning: 'encrypted; the server is not verified',
    hint: 'Set connection.ssl.verification to "full" and connection.ssl.ca to the authority of the server.',
  };
}

async function database(endpoint: Endpoint, session: MysqlSession): Promise<Outcome> {
  const [row] = await session.query(sql`select default_character_set_name from information_schema.schemata
    where schema_name = database()`);
  const detail = `${endpoint.database} on ${session.version}, character set ${row?.[0]}`;
  const places = await session.query(SNAPSHOT_PLACE);
  if (placeOf(places) !== undefined) return detail;
  return `${detail}; a full read is by one connection, as the server does not tell the place of a snapshot in its binary log`;
}

async function permissions(endpoint: Endpoint, config: MysqlConfig, progress: Progress): Promise<Outcome> {
  const { session } = progress.login;
  const all = await selectedRelations(session, endpoint, config);
  progress.relations = all.filter(({ info }) => info.unreadable === undefined);
  const readable = readableOutcome(all.map(selectedOf), {
    things: 'tables and views',
    nothing: 'Check "tables", and that the user may see them.',
    grant: 'GRANT SELECT on them to the user.',
  });
  if (typeof readable !== 'string' || (await mayProcess(session))) return readable;
  return {
    warning: `${readable}; which transactions are open is not shown to the user`,
    hint: 'GRANT PROCESS ON *.* to the user, so that increments know of late commits; else the last minute is read again by each (late_commit_margin).',
  };
}

async function readOne(progress: Progress): Promise<Outcome> {
  const [relation] = progress.relations ?? [];
  if (relation === undefined) return 'nothing to read';
  const rows = await progress.login.session.query(sql`select 1 from ${relation.source} limit 1`);
  return firstOutcome(relation.info.schema.stream, rows.length > 0);
}
