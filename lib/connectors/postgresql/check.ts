import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import type { CheckReport, CheckStep } from '../../core/check';
import { Fault, toFault } from '../../core/fault';
import type { FoundAddress, Network } from '../../core/network';
import { classify } from './classify';
import type { PostgresqlConfig } from './config';
import { selectedRelations, streamInfos } from './discover';
import type { Endpoint } from './endpoint';
import type { Relation } from './relation';
import { openSession, type Session } from './session';
import { aborted } from './sessions';
import { encrypt, openSocket } from './socket';

type Outcome = string | { readonly warning: string; readonly hint: string };

interface Progress {
  socket?: Socket;
  session?: Session;
  relations?: readonly Relation[];
}

interface Step {
  readonly name: string;
  run(progress: Progress): Promise<Outcome>;
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export async function check(endpoint: Endpoint, config: PostgresqlConfig, signal: AbortSignal): Promise<CheckReport> {
  const progress: Progress = {};
  const stop = () => {
    progress.socket?.destroy();
    progress.session?.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  const steps: CheckStep[] = [];
  try {
    for (const step of stepsOf(endpoint, config)) {
      if (signal.aborted) throw aborted();
      const failed = steps.some((done) => done.state === 'failed');
      steps.push(failed ? skipped(step.name) : await attempt(step, progress));
    }
    if (signal.aborted) throw aborted();
    return { passed: steps.every((step) => step.state !== 'failed'), steps };
  } finally {
    signal.removeEventListener('abort', stop);
    progress.socket?.destroy();
    await progress.session?.close();
  }
}

async function attempt(step: Step, progress: Progress): Promise<CheckStep> {
  const began = performance.now();
  const milliseconds = () => Math.round(performance.now() - began);
  try {
    const outcome = await step.run(progress);
    if (typeof outcome === 'string') {
      return { name: step.name, state: 'passed', detail: outcome, milliseconds: milliseconds() };
    }
    const { warning, hint } = outcome;
    return { name: step.name, state: 'warning', detail: warning, hint, milliseconds: milliseconds() };
  } catch (error) {
    const fault = toFault(error, step.name, classify);
    const { kind, code, message, hint } = fault.record();
    const failed = { kind, code, detail: message, ...(hint !== undefined && { hint }) };
    return { name: step.name, state: 'failed', ...failed, milliseconds: milliseconds() };
  }
}

function skipped(name: string): CheckStep {
  return { name, state: 'skipped', detail: 'not tried, as an earlier step failed', milliseconds: 0 };
}

function stepsOf(endpoint: Endpoint, config: PostgresqlConfig): Step[] {
  const { host, port, network } = endpoint;
  return [
    {
      name: 'resolve',
      run: async () => (isIP(host) || host.startsWith('/') ? `${host} is an address` : resolve(host, network)),
    },
    {
      name: 'connect',
      async run(progress) {
        progress.socket = await openSocket(endpoint);
        return `${host}:${port} answers`;
      },
    },
    { name: 'tls', run: (progress) => tls(endpoint, progress) },
    { name: 'authenticate', run: (progress) => authenticate(endpoint, progress) },
    { name: 'database', run: (progress) => database(endpoint, sessionOf(progress)) },
    { name: 'permissions', run: (progress) => permissions(config, progress) },
    { name: 'read', run: readOne },
  ];
}

async function resolve(host: string, network: Network | undefined): Promise<string> {
  const addresses = network ? await allowedAddresses(host, network) : await lookup(host, { all: true });
  return `${host} is ${addresses.map(({ address }) => address).join(', ')}`;
}

/** Those that may be connected to, asked for as a connection asks. */
function allowedAddresses(host: string, network: Network): Promise<readonly FoundAddress[]> {
  return new Promise((resolve, reject) => {
    network.lookup(host, { all: true }, (error, found) =>
      error ? reject(error) : resolve(typeof found === 'string' ? [] : found),
    );
  });
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

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
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
