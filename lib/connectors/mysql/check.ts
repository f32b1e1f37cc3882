import type { Socket } from 'node:net';
import type { CheckReport } from '../../core/check';
import { Fault } from '../../core/fault';
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
  /** The login, which shakes hands for TLS first. */
  login?: PromiseSettledResult<MysqlSession>;
  relations?: readonly MysqlRelation[];
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(endpoint: Endpoint, config: MysqlConfig, signal: AbortSignal): Promise<CheckReport> {
  const progress: Progress = {};
  return runSteps(stepsOf(endpoint, config, progress), {
    signal,
    classify,
    stop() {
      progress.socket?.destroy();
      openedSession(progress)?.destroy();
    },
    async close() {
      progress.socket?.destroy();
      await openedSession(progress)?.close();
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
        sessionOf(progress);
        return `logged in as ${username}`;
      },
    },
    { name: 'database', run: async () => database(endpoint, sessionOf(progress)) },
    { name: 'permissions', run: () => permissions(endpoint, config, progress) },
    { name: 'read', run: () => readOne(progress) },
  ];
}

async function tls(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  const address = progress.socket?.remoteAddress;
  progress.socket?.destroy();
  [progress.login] = await Promise.allSettled([openSession(endpoint)]);
  const failed = progress.login.status === 'rejected' ? classify(progress.login.reason) : undefined;
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

function openedSession({ login }: Progress): MysqlSession | undefined {
  return login?.status === 'fulfilled' ? login.value : undefined;
}

function sessionOf({ login }: Progress): MysqlSession {
  if (login?.status === 'rejected') throw login.reason;
  if (login === undefined) throw new Fault('bug', 'no_session', 'nobody is logged in');
  return login.value;
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
  const session = sessionOf(progress);
  const all = await selectedRelations(session, endpoint, config);
  const refused = all.filter(({ info }) => info.unreadable);
  progress.relations = all.filter(({ info }) => info.unreadable === undefined);
  if (all.length === 0) {
    throw new Fault('config', 'nothing_selected', 'no table or view is selected', {
      hint: 'Check "tables", and that the user may see them.',
    });
  }
  if (progress.relations.length === 0) {
    throw refused[0]?.info.unreadable ?? new Fault('config', 'permission_denied', 'no table can be read');
  }
  const readable = `${progress.relations.length} of ${all.length} tables and views can be read`;
  if (refused.length > 0) {
    const names = refused.slice(0, 5).map(({ info }) => info.schema.stream);
    return {
      warning: `${readable}; not ${names.join(', ')}${refused.length > names.length ? ', ...' : ''}`,
      hint: refused[0]?.info.unreadable?.hint ?? 'GRANT SELECT on them to the user.',
    };
  }
  if (await mayProcess(session)) return readable;
  return {
    warning: `${readable}; which transactions are open is not shown to the user`,
    hint: 'GRANT PROCESS ON *.* to the user, so that increments know of late commits; else the last minute is read again by each (late_commit_margin).',
  };
}

async function readOne(progress: Progress): Promise<Outcome> {
  const [relation] = progress.relations ?? [];
  if (relation === undefined) return 'nothing to read';
  const rows = await sessionOf(progress).query(sql`select 1 from ${relation.source} limit 1`);
  const { stream } = relation.info.schema;
  return rows.length === 0 ? `${stream} is empty` : `a row of ${stream} was read`;
}
