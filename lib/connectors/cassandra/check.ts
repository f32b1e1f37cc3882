import { once } from 'node:events';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { CheckReport } from '../../core/check';
import { Fault } from '../../core/fault';
import { firstOutcome, readableOutcome, selectedOf } from '../shared/check-outcomes';
import { isLoopback, type Outcome, resolveStep, runSteps, type Step } from '../shared/check-steps';
import { ruledSocket } from '../shared/ruled-socket';
import { classify } from './classify';
import { Cluster } from './client';
import type { CassandraConfig } from './config';
import { discover } from './discover';
import type { Endpoint } from './endpoint';
import { parsePart } from './parts';
import { nodeTls } from './policies';
import { Selection } from './selection';
import { Tables } from './tables';

interface Progress {
  readonly cluster: Cluster;
  readonly tables: Tables;
  socket?: Socket;
  readable?: string | undefined;
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(endpoint: Endpoint, config: CassandraConfig, signal: AbortSignal): Promise<CheckReport> {
  const cluster = new Cluster(endpoint);
  const progress: Progress = { cluster, tables: new Tables(cluster, endpoint.keyspace) };
  return runSteps(stepsOf(endpoint, config, progress, signal), {
    signal,
    classify,
    stop: () => void progress.socket?.destroy(),
    async close() {
      progress.socket?.destroy();
      await cluster.close();
    },
  });
}

function stepsOf(endpoint: Endpoint, config: CassandraConfig, progress: Progress, signal: AbortSignal): Step[] {
  const [host] = endpoint.hosts;
  return [
    resolveStep(host, endpoint.network),
    {
      name: 'connect',
      async run() {
        progress.socket = await openSocket(endpoint);
        return `${host}:${endpoint.port} answers`;
      },
    },
    { name: 'tls', run: () => tls(endpoint, progress) },
    { name: 'authenticate', run: () => authenticate(endpoint, progress, signal) },
    { name: 'permissions', run: () => permissions(config, progress, signal) },
    { name: 'read', run: () => readOne(progress, signal) },
  ];
}

async function openSocket({ hosts: [host], port, network, connectTimeoutMs }: Endpoint): Promise<Socket> {
  const socket = ruledSocket(network);
  socket.on('error', () => undefined); // between two steps nobody waits for it; the next step finds it closed
  const timer = setTimeout(() => socket.destroy(timedOut(host)), connectTimeoutMs);
  try {
    socket.connect(port, host);
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function timedOut(host: string): Fault {
  return new Fault('transient', 'connect_timeout', `no answer from ${host}`, {
    hint: 'Check host and port, and that a firewall lets this machine through.',
  });
}

async function tls(endpoint: Endpoint, { socket }: Progress): Promise<Outcome> {
  if (socket === undefined) throw new Fault('bug', 'no_socket', 'nothing is connected');
  try {
    if (endpoint.tls === undefined) {
      if (isLoopback(socket.remoteAddress)) return 'not used; this is the same machine';
      return { warning: 'the connection is not encrypted', hint: 'Set connection.ssl to true.' };
    }
    return await encrypted(endpoint, endpoint.tls, socket);
  } finally {
    socket.destroy();
  }
}

async function encrypted(endpoint: Endpoint, given: NonNullable<Endpoint['tls']>, socket: Socket): Promise<Outcome> {
  const [host] = endpoint.hosts;
  const address = socket.remoteAddress ?? host;
  const options = nodeTls(given, isIP(host) === 0 ? new Map([[address, host]]) : new Map());
  const secure = connectTls({ ...options, socket, host: address });
  const timer = setTimeout(() => secure.destroy(timedOut(host)), endpoint.connectTimeoutMs);
  try {
    await once(secure, 'secureConnect');
  } finally {
    clearTimeout(timer);
  }
  const verified = given.rejectUnauthorized !== false;
  const found = `${secure.getProtocol() ?? 'TLS'}${verified ? ', certificate verified' : ''}`;
  secure.destroy();
  if (verified) return found;
  return {
    warning: `${found}; the server is not verified`,
    hint: 'Set connection.ssl.verification to "full" and connection.ssl.ca to the authority of the nodes.',
  };
}

async function authenticate(endpoint: Endpoint, { cluster }: Progress, signal: AbortSignal): Promise<Outcome> {
  const { version, name, dataCenter } = await cluster.facts(signal);
  const who = endpoint.login ? `logged in as ${endpoint.login.username}` : 'connected without a login';
  return `${who}: cluster ${name}, data centre ${dataCenter}, Cassandra ${version}`;
}

async function permissions(config: CassandraConfig, progress: Progress, signal: AbortSignal): Promise<Outcome> {
  const infos = await discover(signal, progress.cluster, progress.tables, config);
  progress.readable = infos.find((info) => info.unreadable === undefined)?.schema.stream;
  return readableOutcome(infos.map(selectedOf), {
    things: 'tables',
    nothing: 'Check "tables" and the keyspace.',
    grant: 'GRANT SELECT on them to the role.',
  });
}

async function readOne({ cluster, tables, readable }: Progress, signal: AbortSignal): Promise<Outcome> {
  if (readable === undefined) return 'nothing to read';
  const { functions } = await cluster.facts(signal);
  const selection = new Selection(await tables.describe(signal, readable), functions, false);
  const { rows } = await cluster.page(signal, { ...selection.range(parsePart(null)), rows: 1 });
  return firstOutcome(readable, rows.length > 0);
}
