import type { Socket } from 'node:net';
import type { CheckReport } from '../../core/check';
import { firstOutcome, Login, readableOutcome, selectedOf } from '../shared/check-outcomes';
import { isLoopback, type Outcome, resolveStep, runSteps, type Step } from '../shared/check-steps';
import { sql } from '../shared/sql/fragment';
import { classify } from './classify';
import type { OracleConfig } from './config';
import { connectedSocket } from './connection';
import { selectedRelations } from './discover';
import type { Endpoint } from './endpoint';
import { openTransactions } from './open-transactions';
import type { OracleRelation } from './relation';
import { type OracleSession, openSession } from './session';
import { currentScn } from './snapshot';

interface Progress {
  socket?: Socket;
  /** Shakes hands for TLS first. */
  readonly login: Login<OracleSession>;
  relations?: readonly OracleRelation[];
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(endpoint: Endpoint, config: OracleConfig, signal: AbortSignal): Promise<CheckReport> {
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

function stepsOf(endpoint: Endpoint, config: OracleConfig, progress: Progress): Step[] {
  const { host } = endpoint;
  return [
    // A descriptor may name many; the login says which answers.
    ...(host === undefined ? [] : [resolveStep(host, endpoint.network)]),
    ...(host === undefined ? [] : [{ name: 'connect', run: () => connected(endpoint, host, progress) }]),
    { name: 'tls', run: () => tls(endpoint, progress) },
    {
      name: 'authenticate',
      async run() {
        void progress.login.session;
        return `logged in as ${endpoint.username}`;
      },
    },
    { name: 'database', run: () => database(endpoint, progress.login.session) },
    { name: 'permissions', run: () => permissions(config, progress) },
    { name: 'read', run: () => readOne(progress) },
  ];
}

async function connected(endpoint: Endpoint, host: string, progress: Progress): Promise<Outcome> {
  progress.socket = await connectedSocket(endpoint, host);
  return `${host}:${endpoint.port} answers`;
}

async function tls(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  const address = progress.socket?.remoteAddress;
  progress.socket?.destroy();
  const login = await progress.login.attempt(() => openSession(endpoint));
  const failed = login.status === 'rejected' ? classify(login.reason) : undefined;
  if (failed?.code.startsWith('tls_')) throw failed;
  if (endpoint.tls === undefined) {
    if (isLoopback(address)) return 'not used; this is the same machine';
    return { warning: 'the connection is not encrypted', hint: 'Set connection.ssl to true, or write TCPS.' };
  }
  if (endpoint.tls.rejectUnauthorized !== false) return 'encrypted, certificate verified';
  return {
    warning: 'encrypted; the server is not verified',
    hint: 'Set connection.ssl.verification to "full", and connection.ssl.ca or connection.wallet to the authority.',
  };
}

async function database({ service }: Endpoint, session: OracleSession): Promise<Outcome> {
  const detail = `${service} on Oracle ${session.version}`;
  const scn = await currentScn(session);
  if (scn !== undefined) return `${detail}, at SCN ${scn}`;
  return {
    warning: `${detail}; the user may not ask for the SCN, so tables are not read as of one moment`,
    hint: 'GRANT EXECUTE ON SYS.DBMS_FLASHBACK to the user, or SELECT ON SYS.V_$DATABASE.',
  };
}

async function permissions(config: OracleConfig, progress: Progress): Promise<Outcome> {
  const session = progress.login.session;
  const all = await selectedRelations(session, config);
  progress.relations = all.filter(({ info }) => info.unreadable === undefined);
  const shown = readableOutcome(all.map(selectedOf), {
    things: `tables and views of ${session.home}`,
    may: 'be seen',
    nothing: 'Check "schemas" (by default that of the user) and "tables", and that the user may see them.',
    grant: 'GRANT SELECT on them to the user.',
  });
  if (typeof shown !== 'string' || (await openTransactions(session)) !== undefined) return shown;
  return {
    warning: `${shown}; which transactions are open is not shown`,
    hint: 'GRANT SELECT ON SYS.GV_$TRANSACTION and SYS.GV_$SESSION, so that increments know of late commits; else the last minute is read again by each (late_commit_margin).',
  };
}

async function readOne(progress: Progress): Promise<Outcome> {
  const [relation] = progress.relations ?? [];
  if (relation === undefined) return 'nothing to read';
  const rows = await progress.login.session.query(sql`select 1 from ${relation.source} fetch first 1 rows only`);
  return firstOutcome(relation.info.schema.stream, rows.length > 0);
}
