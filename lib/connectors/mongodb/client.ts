import { isIP } from 'node:net';
import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { Fault, toFault } from '../../core/fault';
import type { Network } from '../../core/network';
import type { Endpoint } from './endpoint';

/** The fault of work that was stopped from outside. */
export function aborted(): Fault {
  return new Fault('transient', 'aborted', 'stopped on request');
}

/** The driver's client, connected when it is first asked for. */
export class Client {
  readonly #endpoint: Endpoint;
  #opening: Promise<Opened> | undefined;
  #closed = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Runs `work` on the database; an abort ends the wait, and what `work` gave the signal to. */
  async use<T>(signal: AbortSignal, work: (db: Db) => Promise<T>): Promise<T> {
    const opened = await this.open(signal);
    try {
      return await raceAbort(work(opened.db), signal);
    } catch (error) {
      throw signal.aborted ? aborted() : opened.explain(error);
    }
  }

  /** Connects, or gives what is connected. A failed attempt is forgotten: the next one begins anew. */
  async open(signal: AbortSignal): Promise<Opened> {
    if (this.#closed) throw new Fault('bug', 'source_closed', 'the source is closed');
    if (signal.aborted) throw aborted();
    this.#opening ??= connect(this.#endpoint).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return raceAbort(this.#opening, signal);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.#closed = true;
    const opened = await this.#opening?.catch(() => undefined); // it was reported to who asked for it
    await opened?.client.close(true);
  }
}

/** A connected client. */
export interface Opened {
  readonly client: MongoClient;
  readonly db: Db;
  /** An error, or the refused address that is behind it. */
  explain(error: unknown): unknown;
}

/** Connects and logs in. Rejects with the driver's error, at an abort soon. */
export async function connect(endpoint: Endpoint, signal?: AbortSignal): Promise<Opened> {
  const { network, hosts } = endpoint;
  for (const { host } of hosts) if (network && isIP(host) !== 0) network.check(host, host);
  const client = new MongoClient(addressOf(endpoint), optionsOf(endpoint));
  let refused: Fault | undefined;
  if (network) {
    keepToRules(client, network, (fault) => {
      refused = fault;
    });
  }
  const explain = (error: unknown) => (isSelection(error) ? (refused ?? error) : error);
  const connecting = client.connect();
  try {
    await (signal ? raceAbort(connecting, signal) : connecting);
  } catch (error) {
    await client.close(true);
    throw explain(error);
  }
  return { client, db: client.db(endpoint.database), explain };
}

function isSelection(error: unknown): boolean {
  return (error as { readonly name?: unknown } | null)?.name === 'MongoServerSelectionError';
}

/** Without login: what is secret is given as an option. */
function addressOf({ service, hosts }: Endpoint): string {
  if (service !== undefined) return `mongodb+srv://${service}/`;
  const list = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}:${port}`);
  return `mongodb://${list.join(',')}/`;
}

// The least that the driver takes.
const SHORTEST_HEARTBEAT_MS = 500;

function optionsOf(endpoint: Endpoint): MongoClientOptions {
  const { tls, network, username, replicaSet, authMechanism } = endpoint;
  return {
    appName: endpoint.applicationName,
    connectTimeoutMS: endpoint.connectTimeoutMs,
    serverSelectionTimeoutMS: endpoint.connectTimeoutMs,
    maxPoolSize: endpoint.maxConnections,
    readPreference: endpoint.readPreference,
    // What a fallen primary had not passed on would be taken back after it was read.
    readConcern: { level: 'majority' },
    retryReads: true,
    // One connection that watches each server is enough.
    serverMonitoringMode: 'poll',
    // It also ends the waits for a server that does not answer any more.
    heartbeatFrequencyMS: Math.max(SHORTEST_HEARTBEAT_MS, endpoint.connectTimeoutMs),
    ...(endpoint.direct && { directConnection: true }),
    ...(replicaSet !== undefined && { replicaSet }),
    ...(username !== undefined && {
      auth: { username, password: endpoint.password?.reveal() ?? '' },
      authSource: endpoint.authDatabase,
    }),
    ...(authMechanism !== undefined && { authMechanism, authSource: endpoint.authDatabase }),
    tls: tls !== undefined,
    ...tls,
    ...(network && { lookup: network.lookup as NonNullable<MongoClientOptions['lookup']> }),
  } as MongoClientOptions;
}

const MEMBER_LISTS = ['hosts', 'passives', 'arbiters'] as const;

/**
 * Members of a replica set are named by the server. Names go through the rules when they are looked up; addresses are
 * looked up by nobody, so those that are refused are taken from its answer before the driver reads it.
 */
function keepToRules(client: MongoClient, network: Network, refuse: (fault: Fault) => void): void {
  const isAllowed = (member: string): boolean => {
    const host = member.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) === 0) return true;
    try {
      network.check(host, host);
      return true;
    } catch (error) {
      refuse(toFault(error, `connecting to ${member}`));
      return false;
    }
  };
  client.on('serverHeartbeatSucceeded', ({ reply }) => {
    const answer = reply as { [list: string]: string[] | undefined };
    for (const list of MEMBER_LISTS) answer[list] = answer[list]?.filter(isAllowed);
  });
}

/** Waits for `work`, or rejects at an abort. */
export async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => undefined;
  const abandoned = new Promise<never>((_, reject) => {
    abort = () => reject(aborted());
    signal.addEventListener('abort', abort, { once: true });
  });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, abandoned]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
