import { auth, Client, policies, types } from 'cassandra-driver';
import { Fault } from '../../core/fault';
import { aborted } from '../shared/aborted';
import { Slots } from '../shared/slots';
import { contactAddresses, withPort } from './addresses';
import type { Endpoint } from './endpoint';
import { type Functions, functionsOf } from './functions';
import { boundedNodes, nodeTls, ruledTranslator } from './policies';

/** One statement with its values, as prepared. */
export interface Statement {
  readonly cql: string;
  readonly values?: readonly unknown[];
}

/** One page of a statement's rows. */
export interface PageRequest extends Statement {
  readonly rows: number;
  /** Where the page before ended. */
  readonly state?: string;
}

/** What the cluster says of itself. */
export interface ClusterFacts {
  readonly version: string;
  readonly name: string;
  readonly dataCenter: string;
  readonly functions: Functions;
}

interface Connected {
  readonly client: Client;
  readonly facts: ClusterFacts;
  /** Ends all connections. */
  end(): Promise<void>;
}

const MURMUR3 = 'org.apache.cassandra.dht.Murmur3Partitioner';
const LOCAL = 'select release_version, cluster_name, data_center, partitioner from system.local';
const CATALOG_PAGE = 2000;
const RECONNECT_MS = 1000;

/** The driver's client, connected when it is first asked for, and what reads through it. */
export class Cluster {
  readonly #endpoint: Endpoint;
  readonly #slots: Slots;
  #opening: Promise<Connected> | undefined;
  #connected = false;
  #closed = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#slots = new Slots(endpoint.maxConnections);
  }

  async facts(signal: AbortSignal): Promise<ClusterFacts> {
    return (await this.#open(signal)).facts;
  }

  /** All rows of a small answer of the system, whichever node gives it. */
  async system(signal: AbortSignal, { cql, values = [] }: Statement): Promise<types.Row[]> {
    const { client } = await this.#open(signal);
    const readTimeout = this.#endpoint.statementTimeoutMs;
    const options = { prepare: true, isIdempotent: true, consistency: types.consistencies.one, readTimeout };
    const rows: types.Row[] = [];
    let state: string | undefined;
    do {
      const page = { ...options, fetchSize: CATALOG_PAGE, ...(state !== undefined && { pageState: state }) };
      const result: types.ResultSet = await raceAbort(client.execute(cql, values, page), signal);
      rows.push(...result.rows);
      state = result.pageState ?? undefined;
    } while (state !== undefined);
    return rows;
  }

  /** One page of a table's rows. */
  async page(signal: AbortSignal, { cql, values = [], rows, state }: PageRequest): Promise<types.ResultSet> {
    const { client } = await this.#open(signal);
    const options = {
      prepare: true,
      isIdempotent: true,
      consistency: consistencyOf(this.#endpoint),
      fetchSize: rows,
      readTimeout: this.#endpoint.statementTimeoutMs,
      ...(state !== undefined && { pageState: state }),
    };
    return raceAbort(client.execute(cql, values, options), signal);
  }

  /** Lets at most `max_connections` read at a time. */
  async *reading<T>(signal: AbortSignal, read: () => AsyncIterable<T>): AsyncGenerator<T> {
    await this.#slots.take(signal);
    try {
      yield* read();
    } finally {
      this.#slots.give();
    }
  }

  /** Ends all connections; one that is still being made is ended when it is there. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#slots.giveAll();
    const ending = this.#opening?.then(
      ({ end }) => end(),
      () => undefined, // it was reported to who asked for it
    );
    if (this.#connected) await ending;
  }

  /** A failed attempt is forgotten: the next one begins anew. */
  async #open(signal: AbortSignal): Promise<Connected> {
    if (this.#closed) throw new Fault('bug', 'source_closed', 'the source is closed');
    if (signal.aborted) throw aborted();
    this.#opening ??= this.#connect();
    return raceAbort(this.#opening, signal);
  }

  async #connect(): Promise<Connected> {
    try {
      const connected = await connect(this.#endpoint);
      this.#connected = true;
      return connected;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }
}

/** Connects and logs in. Rejects with the driver's error. */
async function connect(endpoint: Endpoint): Promise<Connected> {
  const client = clientOf(endpoint, await contactAddresses(endpoint));
  const connecting = client.connect();
  const end = () => client.shutdown();
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(timedOut(endpoint)), endpoint.connectTimeoutMs);
    });
    await Promise.race([connecting, late]);
    requireDataCenter(endpoint, client);
    forgetContactPoints(client);
    return { client, facts: await clusterFacts(client), end };
  } catch (error) {
    // The driver's shutdown does nothing to a client that is still connecting, so nobody waits for it here.
    connecting.then(end, end).catch(() => undefined); // the error before it is the one that matters
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

// When all connections are lost, the driver would connect to them anew beside the pools that do so anyway, and nothing would
// end those connections, nor the pools that it forgets for them. Without them it waits for the pools.
function forgetContactPoints(client: Client): void {
  const { options } = client as unknown as { readonly options: { contactPoints: readonly string[] } };
  options.contactPoints = [];
}

function requireDataCenter({ dataCenter }: Endpoint, client: Client): void {
  const known = new Set(client.hosts.values().map((host) => host.datacenter));
  if (dataCenter === undefined || known.has(dataCenter)) return;
  throw new Fault('config', 'data_center_unknown', `no node is in the data centre ${dataCenter}`, {
    hint: `Set connection.local_data_center to one of: ${[...known].join(', ')}.`,
  });
}

function clientOf(endpoint: Endpoint, addresses: ReadonlyMap<string, string>): Client {
  const { login, tls } = endpoint;
  return new Client({
    contactPoints: [...addresses.keys()].map((address) => withPort(address, endpoint.port)),
    protocolOptions: { port: endpoint.port },
    ...(login && { authProvider: new auth.PlainTextAuthProvider(login.username, login.password.reveal()) }),
    ...(tls && { sslOptions: nodeTls(tls, addresses) }),
    policies: {
      addressResolution: ruledTranslator(endpoint),
      loadBalancing: boundedNodes(endpoint),
      reconnection: new policies.reconnection.ConstantReconnectionPolicy(RECONNECT_MS),
    },
    // Other nodes are connected to in the background: one that hangs holds up nothing.
    // Without heart beats: their timers outlive connections that were closed in the middle of a login.
    pooling: { coreConnectionsPerHost: { [types.distance.local]: 1 }, warmup: false, heartBeatInterval: 0 },
    // The driver learns of a connection that is closed in the middle of a login only by this time.
    socketOptions: { connectTimeout: endpoint.connectTimeoutMs, readTimeout: endpoint.connectTimeoutMs },
    encoding: { useBigIntAsLong: true },
    // Schemas are asked for where they are needed; the driver would read those of all keyspaces.
    isMetadataSyncEnabled: false,
    applicationName: 'explorerio',
    monitorReporting: { enabled: false },
  } as ConstructorParameters<typeof Client>[0]);
}

async function clusterFacts(client: Client): Promise<ClusterFacts> {
  const row = (await client.execute(LOCAL)).first();
  const partitioner = String(row.get('partitioner'));
  if (partitioner !== MURMUR3) {
    throw new Fault('config', 'partitioner_unsupported', `the cluster uses ${partitioner}`, {
      hint: 'Only clusters with the Murmur3Partitioner, the default, can be read.',
    });
  }
  const version = String(row.get('release_version'));
  return {
    version,
    name: String(row.get('cluster_name')),
    dataCenter: String(row.get('data_center')),
    functions: functionsOf(version),
  };
}

function consistencyOf({ consistency }: Endpoint): types.consistencies {
  const { localQuorum, quorum, localOne, one, two, three, all } = types.consistencies;
  return { local_quorum: localQuorum, quorum, local_one: localOne, one, two, three, all }[consistency];
}

function timedOut({ hosts }: Endpoint): Fault {
  return new Fault('transient', 'connect_timeout', `no answer from ${hosts.join(', ')}`, {
    hint: 'Check host and port, and that a firewall lets this machine through.',
  });
}

// The driver cannot take a request back: its answer, one page at most, is dropped when it comes.
async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => undefined;
  const abandoned = new Promise<never>((_, reject) => {
    abort = () => reject(aborted());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, abandoned]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
