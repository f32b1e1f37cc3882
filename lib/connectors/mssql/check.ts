import type { Socket } from 'node:net';
import type { CheckReport } from '../../core/check';
import { firstOutcome, Login, readableOutcome, selectedOf } from '../shared/check-outcomes';
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
  /** Shakes hands for TLS first. */
  readonly login: Login<MssqlSession>;
  relations?: readonly MssqlRelation[];
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(endpoint: Endpoint, config: MssqlConfig, signal: AbortSignal): Promise<CheckReport> {
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

function stepsOf(endpoint: Endpoint, config: MssqlConfig, progress: Progress): Step[] {
  return [
    resolveStep(endpoint.host, endpoint.network),
    { name: 'connect', run: () => connected(endpoint, progress) },
    { name: 'tls', run: () => tls(endpoint, progress) },
    {
      name: 'authenticate',
      async run() {
        void progress.login.session;
        return endpoint.accessToken ? 'logged in with a token' : `logged in as ${endpoint.username}`;
      },
    },
    { name: 'database', run: async () => database(endpoint, progress.login.session) },
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
  const login = await progress.login.attempt(() => openSession(endpoint));
  const failed = login.status === 'rejected' ? classify(login.reason) : undefined;
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

function database({ database: name }: Endpoint, { version, seesOneMoment }: MssqlSession): Outcome {
  const detail = `${name} on SQL Server ${version}`;
  if (seesOneMoment) return `${detail}; each part is read as of one moment`;
  return {
    warning: `${detail}; without snapshot isolation, so writers and readers wait for each other`,
    hint: 'ALTER DATABASE ... SET ALLOW_SNAPSHOT_ISOLATION ON.',
  };
}

async function permissions(config: MssqlConfig, progress: Progress): Promise<Outcome> {
  const all = await selectedRelations(progress.login.session, config);
  progress.relations = all.filter(({ info }) => info.unreadable === undefined);
  return readableOutcome(all.map(selectedOf), {
    things: 'tables and views',
    nothing: 'Check "tables", and that the user may see them.',
    grant: 'GRANT SELECT on them to the user.',
  });
}

async function readOne(progress: Progress): Promise<Outcome> {
  const [relation] = progress.relations ?? [];
  if (relation === undefined) return 'nothing to read';
  const rows = await progress.login.session.query(sql`select top (1) 1 from ${relation.source}`);
  return firstOutcome(relation.info.schema.stream, rows.length > 0);
}
