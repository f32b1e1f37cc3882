import { resolveSrv } from 'node:dns/promises';
import type { Socket } from 'node:net';
import type { CheckReport } from '../../core/check';
import type { StreamInfo } from '../../core/connector';
import { Fault } from '../../core/fault';
import { firstOutcome, readableOutcome, selectedOf } from '../shared/check-outcomes';
import { isLoopback, type Outcome, resolveStep, runSteps, type Step } from '../shared/check-steps';
import { classify } from './classify';
import { connect, type Opened } from './client';
import type { MongodbConfig } from './config';
import { discover } from './discover';
import type { Endpoint } from './endpoint';
import { reached } from './feed-head';
import { readingMembers } from './server-clock';
import { encrypt, openSocket } from './socket';
import type { HostPort } from './uri';

interface Progress {
  readonly signal: AbortSignal;
  hosts: readonly HostPort[];
  socket?: Socket;
  host?: string;
  opened?: Opened;
  readable?: readonly StreamInfo[];
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(
  endpoint: Endpoint,
  config: MongodbConfig,
  isFollowed: boolean,
  signal: AbortSignal,
): Promise<CheckReport> {
  const progress: Progress = { signal, hosts: endpoint.hosts };
  return runSteps([...stepsOf(endpoint, config, progress), ...(isFollowed ? [changesStep(progress)] : [])], {
    signal,
    classify: (error) => classify(progress.opened?.explain(error) ?? error),
    stop: () => void progress.socket?.destroy(),
    async close() {
      progress.socket?.destroy();
      await progress.opened?.client.close(true);
    },
  });
}

function stepsOf(endpoint: Endpoint, config: MongodbConfig, progress: Progress): Step[] {
  return [
    { name: 'resolve', run: () => resolve(endpoint, progress) },
    { name: 'connect', run: () => connectOne(endpoint, progress) },
    { name: 'tls', run: () => tls(endpoint, progress) },
    { name: 'authenticate', run: () => authenticate(endpoint, progress) },
    { name: 'database', run: () => database(endpoint, progress) },
    { name: 'permissions', run: () => permissions(config, progress) },
    { name: 'read', run: () => readOne(progress) },
  ];
}

function changesStep(progress: Progress): Step {
  return {
    name: 'changes',
    async run() {
      await reached(openedOf(progress).db, undefined);
      return 'change streams can be opened';
    },
  };
}

/** Every host must be known; those of `mongodb+srv` are asked of the name service first. */
async function resolve({ service, hosts, network }: Endpoint, progress: Progress): Promise<string> {
  if (service !== undefined) {
    const records = await resolveSrv(`_mongodb._tcp.${service}`);
    progress.hosts = records.map(({ name, port }) => ({ host: name, port }));
    return `${service} lists ${records.map(({ name, port }) => `${name}:${port}`).join(', ')}`;
  }
  const found: Outcome[] = [];
  for (const { host } of hosts) found.push(await resolveStep(host, network).run());
  return found.join('; ');
}

/** One of several hosts is enough: others may be down. */
async function connectOne(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  const failures: unknown[] = [];
  for (const target of progress.hosts) {
    try {
      progress.socket = await openSocket(endpoint, target);
      progress.host = target.host;
    } catch (error) {
      failures.push(error);
      continue;
    }
    const detail = `${target.host}:${target.port} answers`;
    if (failures.length === 0) return detail;
    return { warning: `${detail}; ${failures.length} before it did not`, hint: 'Check the hosts that come before it.' };
  }
  throw failures[0] ?? new Fault('config', 'host_unknown', 'no host is given', { hint: 'Set connection.host.' });
}

async function tls(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  const { socket, host = '' } = progress;
  try {
    if (socket === undefined) throw new Fault('bug', 'no_socket', 'nothing is connected');
    if (endpoint.tls) {
      const secure = await encrypt(endpoint, socket, host);
      const verified = endpoint.tls.rejectUnauthorized !== false;
      const found = `${secure.getProtocol() ?? 'TLS'}${verified ? ', certificate verified' : ''}`;
      secure.destroy();
      if (verified) return found;
      return {
        warning: `${found}; the server is not verified`,
        hint: 'Set connection.ssl.verification to "full" and connection.ssl.ca to the authority of the server.',
      };
    }
    if (isLoopback(socket.remoteAddress)) return 'not used; this is the same machine';
    return { warning: 'the connection is not encrypted', hint: 'Set connection.ssl to true.' };
  } finally {
    socket?.destroy();
  }
}

async function authenticate(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  progress.opened = await connect(endpoint, progress.signal);
  const { db } = progress.opened;
  await db.command({ ping: 1 }, { ...readingMembers(db), signal: progress.signal });
  return endpoint.username === undefined
    ? 'nobody is logged in, as none is named'
    : `logged in as ${endpoint.username}`;
}

function openedOf({ opened }: Progress): Opened {
  if (opened === undefined) throw new Fault('bug', 'not_opened', 'nobody is logged in');
  return opened;
}

async function database(endpoint: Endpoint, progress: Progress): Promise<Outcome> {
  const { db } = openedOf(progress);
  const { version } = (await db.command({ buildInfo: 1 }, { ...readingMembers(db), signal: progress.signal })) as {
    readonly version?: string;
  };
  const detail = `${endpoint.database} on MongoDB ${version ?? 'of an unknown version'}`;
  if (endpoint.readPreference === 'primary') return detail;
  return {
    warning: `${detail}; read from ${endpoint.readPreference}`,
    hint: 'A member that lags hides what was written last: set sync_strategy.lookback to the longest lag, or read the primary.',
  };
}

async function permissions(config: MongodbConfig, progress: Progress): Promise<Outcome> {
  const infos = await discover(openedOf(progress).db, config, progress.signal);
  progress.readable = infos.filter((info) => info.unreadable === undefined);
  return readableOutcome(infos.map(selectedOf), {
    things: 'collections',
    nothing: 'Check connection.database and "collections", and that the user may see them.',
    grant: 'Grant the role "read" on the database to the user.',
  });
}

async function readOne(progress: Progress): Promise<Outcome> {
  const [first] = progress.readable ?? [];
  if (first === undefined) return 'nothing to read';
  const { stream } = first.schema;
  const found = await openedOf(progress)
    .db.collection(stream)
    .findOne({}, { projection: { _id: 1 }, signal: progress.signal });
  return firstOutcome(stream, found !== null, 'a document');
}
