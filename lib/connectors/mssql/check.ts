import type { Socket } from 'node:net';
import type { CheckReport } from '../../core/check';
import { Fault } from '../../core/fault';
import { isLoopback, type Outcome, resolveStep, runSteps, type Step } from '../shared/check-steps';
import { sql } from '../shared/sql/fragment';
import { classify } from './classify';
import type { MssqlConfig } from './config';
import { connectedSocket } from './connection';
import { selectedRelations } from './discover';
import type { Endpoint } from './endpoint';
import type { MssqlRelation } from './relation';
import { type MssqlSession, openSession } from './session';

interface Progress {
  socket?: Socket;
  /** The login, which shakes hands for TLS first. */
  login?: PromiseSettledResult<MssqlSession>;
  relations?: readonly MssqlRelation[];
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(endpoint: Endpoint, config: MssqlConfig, signal: AbortSignal): Promise<CheckReport> {
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

function stepsOf(endpoint: Endpoint, config: MssqlConfig, progress: Progress): Step[] {
  return [
    resolveStep(endpoint.host, endpoint.network),
    { name: 'connect', run: () => connected(endpoint, progress) },
    { name: 'tls', run: () => tls(endpoint, progress) },
    {
      name: 'authenticate',
      async run() {
        sessionOf(progress);
        return endpoint.accessToken ? 'logged in with a token' : `logged in as ${endpoint.username}`;
      },
    },
    { name: 'database', run: async () => database(endpoint, sessionOf(progress)) },
    { name: 'permissions', run: () => permissions(config, progress) },
    { name: 'read', run: () => readOne(progress) },
  ];
}

async function connected(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  const { host, port, instance } = endpoint;
  if (port === undefined) return `the port of ${instance} is asked for at the login`;
  progress.socket = await connectedSocket(endpoint, { host, port });
  return `${host}:${port} answers`;
}

async function tls(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  const address = progress.socket?.remoteAddress;
  progress.socket?.destroy();
  [progress.login] = await Promise.allSettled([openSession(endpoint)]);
  const failed = progress.login.status === 'rejected' ? classify(progress.login.reason) : undefined;
  if (failed?.code.startsWith('tls_')) throw failed;
  if (endpoint.tls === undefined) {
    if (isLoopback(address)) return 'not used; this is the same machine';
    return { warning: 'the connection is not encrypted', hint: 'Leave connection.encrypt out.' };
  }
  if (endpoint.tls.rejectUnauthorized !== false) return 'encrypted, certificate verified';
  return {
    warning: 'encrypted; the server is not verified',
    hint: 'Set connection.ssl.ca to the authority of the server in the place of trust_server_certificate.',
  };
}

function openedSession({ login }: Progress): MssqlSession | undefined {
  return login?.status === 'fulfilled' ? login.value : undefined;
}

function sessionOf({ login }: Progress): MssqlSession {
  if (login?.status === 'rejected') throw login.reason;
  if (login === undefined) throw new Fault('bug', 'no_session', 'nobody is logged in');
  return login.value;
}

function database({ database: name }: Endpoint, { version, seesOneMoment }: MssqlSession): Outcome {
  const detail = `${name} on SQL Server ${version}`;
  if (seesOneMoment) return `${detail}; each part is read as of one moment`;
  return {
    warning: `${detail}; without snapshot isolation, so writers and readers wait for each other`,
    hint: 'ALTER DATABASE ... SET ALLOW_SNAPSHOT_ISOLATION ON.',
  };
}

async function permissions(config: MssqlConfig, progress: Progress): Promise<Outcome> {
  const all = await selectedRelations(sessionOf(progress), config);
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
  if (refused.length === 0) return readable;
  const names = refused.slice(0, 5).map(({ info }) => info.schema.stream);
  return {
    warning: `${readable}; not ${names.join(', ')}${refused.length > names.length ? ', ...' : ''}`,
    hint: refused[0]?.info.unreadable?.hint ?? 'GRANT SELECT on them to the user.',
  };
}

async function readOne(progress: Progress): Promise<Outcome> {
  const [relation] = progress.relations ?? [];
  if (relation === undefined) return 'nothing to read';
  const rows = await sessionOf(progress).query(sql`select top (1) 1 from ${relation.source}`);
  const { stream } = relation.info.schema;
  return rows.length === 0 ? `${stream} is empty` : `a row of ${stream} was read`;
}
