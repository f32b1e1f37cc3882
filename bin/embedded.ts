import { join } from 'node:path';
import { openDataFolder } from '../lib/adapters/embedded/data-folder';
import { openDatabase } from '../lib/adapters/embedded/database';
import { type EmbeddedPostgresql, startEmbeddedPostgresql } from '../lib/adapters/embedded/postgresql-server';
import { SqliteQueue } from '../lib/adapters/embedded/queue';
import { EmbeddedScheduler } from '../lib/adapters/embedded/scheduler';
import { EnvironmentSecrets } from '../lib/adapters/embedded/secrets';
import { SqliteStateStore } from '../lib/adapters/embedded/state';
import { createApi } from '../lib/api/app';
import { connectorTypes, loadConnector } from '../lib/connectors';
import { messageOf } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import type { Secrets, StateStore } from '../lib/core/ports';
import type { Redactor, Secret } from '../lib/core/secret';
import type { Service } from '../lib/core/service';
import { every, systemClock } from '../lib/core/system-clock';
import { openDestination } from '../lib/destinations';
import { createEngine, type Engine } from '../lib/engine/engine';
import { startScheduled } from '../lib/engine/scheduled';
import { Cleanup } from './cleanup';
import type { Environment } from './cli';
import {
  checkDestinationUrl,
  DESTINATION_DATABASE,
  rememberDestination,
  type ServerAddress,
  writePasswordFile,
} from './destination-home';
import { VERSION } from './version';

/** What a home is opened with. */
export interface HomeOptions {
  readonly dataFolder: string;
  /** A PostgreSQL server to load into; without it an embedded one is started when it is first needed. */
  readonly destinationUrl?: string;
  readonly env: Environment;
  readonly log: Logger;
  readonly redactor: Redactor;
  readonly apiKey?: Secret;
  readonly allowedHosts?: readonly string[];
  readonly clientOf?: (environment: unknown) => string | undefined;
  /** Aborts when the server is about to stop: requests that wait for a run are then answered. */
  readonly stopping?: AbortSignal;
  /** Secrets that the home itself knows, asked for before those of the environment. */
  readonly ownSecrets?: (server: () => Promise<EmbeddedServer>) => Secrets;
}

/** The embedded PostgreSQL server, with the destination's database in it. */
export interface EmbeddedServer extends ServerAddress {
  /** For libpq's PGPASSFILE. */
  readonly passwordFile: string;
}

/** Everything over one data folder: the parts behind the API, in one process. */
export interface Home {
  readonly app: ReturnType<typeof createApi>;
  readonly service: Service;
  readonly state: StateStore;
  readonly dataFolder: string;
  /** Tells other processes where the API is. */
  announce(url: string): void;
  /** Starts the embedded server unless it runs. */
  server(): Promise<EmbeddedServer>;
  /** Resumes interrupted runs and begins to work on the queue. */
  startWork(): Promise<void>;
  /** Begins to start syncs when their schedules say so. */
  startSchedules(): void;
  /** Lets the batches that are being written end, closes everything and gives the folder back. */
  stop(): Promise<void>;
}

const WORKERS = 4;
const RECOVER_MS = 60_000;
/** How long a stop waits for batches, out of the ten seconds that it has. */
const LAST_BATCHES_MS = 4000;

/** Takes the data folder and builds the home on it. @throws Fault `config`/`data_folder_in_use` and what else can be wrong */
export async function openHome(options: HomeOptions): Promise<Home> {
  if (options.destinationUrl !== undefined) checkDestinationUrl(options.destinationUrl);
  hideSecrets(options);
  const cleanup = new Cleanup();
  try {
    return await compose(options, cleanup);
  } catch (error) {
    await cleanup.run(options.log);
    throw error;
  }
}

async function compose(options: HomeOptions, cleanup: Cleanup): Promise<Home> {
  const { env, log } = options;
  const folder = await openDataFolder(options.dataFolder);
  cleanup.add('giving the data folder back', () => folder.close());
  const dataFolder = folder.path;
  const database = openDatabase(folder.statePath);
  cleanup.add('closing the state', () => database.close());
  const state = new SqliteStateStore(database, systemClock);
  const queue = new SqliteQueue(database, systemClock);
  const scheduler = new EmbeddedScheduler(state, systemClock, log);
  const server = embeddedServer(dataFolder, options, cleanup);
  const destination = once(() => destinationConfig(options, server));
  const engine = createEngine(
    {
      state,
      queue,
      scheduler,
      secrets: firstOf(options.ownSecrets?.(server), new EnvironmentSecrets([process.cwd(), dataFolder], env)),
      clock: systemClock,
      log,
      redactor: options.redactor,
      random: Math.random,
      loadConnector,
      connectorTypes,
      async openDestination(context, host) {
        await rememberDestination(state, options.destinationUrl, log);
        return openDestination('postgresql', await destination(), context, host);
      },
      every,
    },
    { owner: `embedded/${process.pid}/${Date.now().toString(36)}` },
  );
  const app = createApi({
    service: engine.service,
    version: VERSION,
    log,
    allowedHosts: options.allowedHosts ?? [],
    ...(options.stopping && { stopping: options.stopping }),
    ...(options.apiKey && { apiKey: options.apiKey }),
    ...(options.clientOf && { clientOf: options.clientOf }),
  });
  return {
    app,
    service: engine.service,
    state,
    dataFolder,
    announce: (url) => folder.announce(url),
    server,
    async startWork() {
      await queue.resetVisibility();
      await engine.recover();
      startWork(engine, log, cleanup);
    },
    startSchedules: () => startSchedules(scheduler, engine.service, log, cleanup),
    stop: () => cleanup.run(log),
  };
}

/** Gives how to start the server once. Its stop is planned before anything that needs it, and so comes after that. */
function embeddedServer(dataFolder: string, { log, redactor }: HomeOptions, cleanup: Cleanup) {
  let running: Promise<EmbeddedPostgresql> | undefined;
  cleanup.add('stopping the embedded PostgreSQL server', async () => (await running)?.stop());
  return once(async () => {
    running = startEmbeddedPostgresql(join(dataFolder, 'postgresql'), log);
    const { host, port, user, password, createDatabase } = await running;
    redactor.add(password);
    await createDatabase(DESTINATION_DATABASE);
    const address: ServerAddress = { host, port, user, password };
    return { ...address, passwordFile: writePasswordFile(dataFolder, address) };
  });
}

async function destinationConfig({ destinationUrl }: HomeOptions, server: () => Promise<EmbeddedServer>) {
  if (destinationUrl !== undefined) return { url: destinationUrl };
  const { host, port, user, password } = await server();
  return { host, port, database: DESTINATION_DATABASE, username: user, password };
}

/** What must appear in no log, wherever it surfaces. */
function hideSecrets({ redactor, apiKey, destinationUrl }: HomeOptions): void {
  if (apiKey !== undefined) redactor.add(apiKey.reveal());
  if (destinationUrl !== undefined) redactor.add(decodeURIComponent(new URL(destinationUrl).password));
}

function firstOf(first: Secrets | undefined, second: Secrets): Secrets {
  return { get: async (name) => (await first?.get(name)) ?? second.get(name) };
}

function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => {
    started ??= start();
    return started;
  };
}

function startWork(engine: Engine, log: Logger, cleanup: Cleanup): void {
  const stop = new AbortController();
  const working = engine.work(WORKERS, stop.signal);
  // A run whose message went to the dead letters, or whose worker gave up, is found and taken up again.
  const lookAgain = () =>
    engine.recover().catch((error) => log.error('looking for interrupted runs failed', { error: messageOf(error) }));
  const stopLooking = every(RECOVER_MS, lookAgain);
  cleanup.add('ending the work', async () => {
    stop.abort();
    stopLooking();
    const patience = new AbortController();
    const tooLate = systemClock.sleep(LAST_BATCHES_MS, patience.signal).then(() => false);
    const ended = await Promise.race([working.then(() => true), tooLate]);
    patience.abort();
    if (!ended) log.warn('a batch takes too long and is cut off; it is read again at the next start');
  });
}

function startSchedules(scheduler: EmbeddedScheduler, service: Service, log: Logger, cleanup: Cleanup): void {
  const stop = new AbortController();
  const onDue = (integration: string, at: number) => startScheduled(service, log, integration, at);
  const ticking = scheduler.start(onDue, stop.signal);
  cleanup.add('ending the schedules', async () => {
    stop.abort();
    await ticking;
  });
}
