import { lookup } from 'node:dns/promises';
import { join } from 'node:path';
import { openDataFolder } from '../lib/adapters/embedded/data-folder';
import { openDatabase } from '../lib/adapters/embedded/database';
import { type EmbeddedPostgresql, startEmbeddedPostgresql } from '../lib/adapters/embedded/postgresql-server';
import { quarantineKey } from '../lib/adapters/embedded/quarantine-key';
import { SqliteQueue } from '../lib/adapters/embedded/queue';
import { findRoute } from '../lib/adapters/embedded/route';
import { EmbeddedScheduler } from '../lib/adapters/embedded/scheduler';
import { sealedState } from '../lib/adapters/embedded/sealed-state';
import { secretsInOrder } from '../lib/adapters/embedded/secrets';
import { SqliteStateStore } from '../lib/adapters/embedded/state';
import { createApi } from '../lib/api/app';
import { connectorTypes, loadConnector } from '../lib/connectors';
import { messageOf } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import type { Secrets, StateStore } from '../lib/core/ports';
import type { Redactor, Secret } from '../lib/core/secret';
import type { Service } from '../lib/core/service';
import { every, systemClock } from '../lib/core/system-clock';
import { openDestination, openSearch } from '../lib/destinations';
import { LOOK_MS } from '../lib/engine/alerts/look';
import { createEngine, type Engine } from '../lib/engine/engine';
import type { NotifyLimits } from '../lib/engine/notify/outbox';
import type { EngineOptions } from '../lib/engine/ports';
import { startScheduled } from '../lib/engine/scheduled';
import { alertEvaluator } from '../lib/health/evaluate';
import { guardedNetwork } from '../lib/network/guard';
import { checkPipeline, compilePipeline } from '../lib/pipeline/compile';
import { DATABASE_VARIABLE, openPlaces } from '../lib/places/places';
import { startAlerts } from './alerts';
import { Cleanup } from './cleanup';
import type { Environment } from './cli';
import { openCredentials } from './credentials-home';
import {
  checkDestinationUrl,
  DESTINATION_DATABASE,
  rememberDestination,
  type ServerAddress,
  writePasswordFile,
} from './destination-home';
import { startHealthChecks } from './health-checks';
import { openNotifications, startNotifications } from './notifications';
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
  /** Figures of notifications, for tests. */
  readonly notifyLimits?: Partial<NotifyLimits>;
  /** Time between two looks at alerts, and figures of the engine, for tests. */
  readonly alertLookMs?: number;
  readonly engineOptions?: Partial<EngineOptions>;
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
  /** Begins to test connections as their documents ask. */
  startHealthChecks(): void;
  /** Begins to look at alerts, and to tell people what happens. */
  startNotifications(): void;
  /** Lets the batches that are being written end, closes everything and gives the folder back. */
  stop(): Promise<void>;
}

const WORKERS = 4;
const RECOVER_MS = 60_000;
const CREDENTIALS_MS = 6 * 3_600_000;
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
  const state = sealedState(new SqliteStateStore(database, systemClock), join(dataFolder, 'state.key'));
  const queue = new SqliteQueue(database, systemClock);
  const scheduler = new EmbeddedScheduler(state, systemClock, log);
  const server = embeddedServer(dataFolder, options, cleanup);
  const own = options.ownSecrets?.(server);
  const credentials = openCredentials({
    dataFolder,
    env,
    redactor: options.redactor,
    warn: (message) => log.warn(message),
  });
  const destination = once(() => destinationConfig(options, server));
  const places = openPlaces(env[DATABASE_VARIABLE]);
  const owner = `embedded/${process.pid}/${Date.now().toString(36)}`;
  const notifications = openNotifications({
    ...{ state, log, env, owner, redactor: options.redactor },
    ...(options.notifyLimits && { limits: options.notifyLimits }),
  });
  let runsEnded = 0;
  let runsTold = 0;
  const engine = createEngine(
    {
      state,
      queue,
      scheduler,
      secrets: secretsInOrder([...(own ? [own] : []), credentials.secrets]),
      credentialStores: credentials.stores,
      clock: systemClock,
      log,
      redactor: options.redactor,
      random: Math.random,
      loadConnector,
      connectorTypes,
      async openDestination(context, host) {
        await rememberDestination(state, options.destinationUrl, log);
        const key = quarantineKey(dataFolder, env.EXPLORERIO_QUARANTINE_KEY);
        return openDestination('postgresql', await destination(), { ...context, quarantineKey: key }, host);
      },
      async openSearch(host) {
        await rememberDestination(state, options.destinationUrl, log);
        return openSearch('postgresql', await destination(), host);
      },
      notify: notifications.notify,
      notifications,
      evaluator: alertEvaluator,
      healthChecks: { everySeconds: 1 },
      ended: () => {
        runsEnded += 1;
      },
      checkPipeline,
      network: ({ network_security: security }) => guardedNetwork(security),
      openPipeline: (fields, ask, kept) => compilePipeline(fields, { lookup: ask, places }, kept),
      resolveHost: async (name) => (await lookup(name)).address,
      findRoute,
      every,
    },
    { ...options.engineOptions, owner },
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
    startSchedules() {
      startSchedules(scheduler, engine.service, log, cleanup);
      watchCredentials(engine, log, cleanup);
    },
    startHealthChecks: () => startHealthChecks(engine, { log, cleanup }),
    startNotifications() {
      const hasNews = () => {
        const isNew = runsEnded > runsTold;
        runsTold = runsEnded;
        return isNew;
      };
      startNotifications(engine, notifications, { log, cleanup, hasNews });
      startAlerts(engine, { ms: options.alertLookMs ?? LOOK_MS, log, cleanup });
    },
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

/** Now and a few times a day, as a laptop may never run for a whole one. */
function watchCredentials(engine: Engine, log: Logger, cleanup: Cleanup): void {
  let looking: Promise<void> = Promise.resolve();
  const look = () => {
    looking = engine
      .checkCredentials()
      .catch((error) => log.error('looking at the ages of credentials failed', { error: messageOf(error) }));
  };
  look();
  const stop = every(CREDENTIALS_MS, look);
  cleanup.add('ending the look at credentials', async () => {
    stop();
    await looking;
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
