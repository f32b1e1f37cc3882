import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { dynamoClient } from '../lib/adapters/aws/dynamo-client';
import { powertoolsLog } from '../lib/adapters/aws/log';
import { SqsQueue } from '../lib/adapters/aws/queue';
import { type QueueUrls, readQueueUrls } from '../lib/adapters/aws/queue-addresses';
import { AwsSecrets } from '../lib/adapters/aws/secrets';
import { DynamoStateStore } from '../lib/adapters/aws/state';
import { CHECK_SECONDS } from '../lib/core/alert/rule';
import type { Channels } from '../lib/core/channel';
import type { Connector, Host } from '../lib/core/connector';
import { Fault } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import type { Alarms, Queue, Scheduler, Secrets, StateStore } from '../lib/core/ports';
import type { SearchReader } from '../lib/core/search';
import { Redactor } from '../lib/core/secret';
import { every, systemClock } from '../lib/core/system-clock';
import { openDestination, openSearch } from '../lib/destinations';
import { createEngine, type Engine } from '../lib/engine/engine';
import { createNotifications, type Notifications } from '../lib/engine/notify/notifications';
import type { EnginePorts } from '../lib/engine/ports';
import { renewedDestination } from '../lib/engine/renewed-destination';
import { Renewing } from '../lib/engine/renewing';
import { SecretAttempts, type SecretValues } from '../lib/engine/secret-values';
import { keys } from '../lib/engine/state';
import { connectorTag, DESTINATION_CONNECTIONS, type FunctionEnvironment } from '../lib/infra/env';
import { guardedNetwork } from '../lib/network/guard';
import { openPlaces } from '../lib/places/places';
import { everyQueue } from './every-queue';
import { quarantineKeyOf } from './quarantine-key';
import { runMetricLine } from './run-metrics';

/** What differs between the functions. */
export interface HomeOptions {
  readonly environment: FunctionEnvironment;
  /** The one connector of a sync function, which receives from its queue and sends to no other. */
  readonly connector?: string;
  readonly connectorTypes: readonly string[];
  loadConnector(type: string): Promise<Connector>;
  /** Makes schedules; without it this function cannot. */
  scheduler?(state: StateStore): Scheduler;
  /** Makes alarms; without it this function cannot. */
  readonly alarms?: Alarms | undefined;
  /** The channels on which this function tells people; without them it cannot. */
  channels?(secrets: Secrets, redactor: Redactor): Channels;
  /** How many messages led to the one at hand, each sent by the one before. */
  readonly hop?: () => number;
}

/** The engine over the services of AWS, and what a handler needs beside it. */
export interface CloudHome {
  readonly engine: Engine;
  readonly state: StateStore;
  readonly log: Logger;
  /** Of functions that tell people. */
  readonly notifications?: Notifications;
  /** The queue of a connector type. */
  queue(type: string): Queue;
}

const DEFAULT_WORK_SECONDS = 240;
const SHORTEST_LEASE_MS = 5000;
const LONGEST_LEASE_MS = 60_000;

/** The environment of this function; a variable that the stacks forgot is named. */
export function functionEnvironment(): FunctionEnvironment {
  const given = process.env as unknown as FunctionEnvironment;
  for (const name of NEEDED) {
    if (given[name]) continue;
    throw new Fault('config', 'missing_environment', `starting: the variable ${name} is not set`, {
      hint: 'Deploy the stacks again: they set it.',
    });
  }
  return given;
}

const NEEDED = [
  'EXPLORERIO_STAGE',
  'EXPLORERIO_TABLE',
  'EXPLORERIO_QUEUES',
  'EXPLORERIO_SECRETS_PREFIX',
  'EXPLORERIO_DESTINATION_SECRET',
  'EXPLORERIO_QUARANTINE_SECRET',
] as const;

/** Large, and of no use before the first record: loaded when it is asked for, as a cold start waits for what is not. */
const pipelines = () => import('../lib/pipeline/compile');

/** Builds the engine of one function; nothing is connected before it is used. */
export function openCloudHome(options: HomeOptions): CloudHome {
  const { environment } = options;
  const { connectorTypes, loadConnector } = deployedOf(options);
  const redactor = new Redactor();
  const log = powertoolsLog(`explorerio-${options.connector ?? 'api'}`, redactor);
  const state = new DynamoStateStore({
    client: dynamoClient(),
    table: environment.EXPLORERIO_TABLE,
    clock: systemClock,
  });
  const secretsClient = new SecretsManagerClient({});
  const secrets = new AwsSecrets({
    client: secretsClient,
    prefix: environment.EXPLORERIO_SECRETS_PREFIX,
    clock: systemClock,
    ...(options.connector !== undefined && { hint: secretHint(options.connector) }),
  });
  // Named in full, not below the prefix: no document can refer to it.
  const destinationSecrets = new AwsSecrets({ client: secretsClient, prefix: '', clock: systemClock });
  const queues = new Queues(options, state);
  const places = openPlaces(environment.EXPLORERIO_GEOIP_DATABASE);
  const workBudgetMs = Number(environment.EXPLORERIO_WORK_SECONDS ?? DEFAULT_WORK_SECONDS) * 1000;
  const owner = `${process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'local'}/${process.pid}-${Date.now().toString(36)}`;
  const channels = options.channels?.(secrets, redactor);
  const notifications =
    channels &&
    createNotifications({
      ...{ state, redactor, log, channels, owner, clock: systemClock, publicUrl: environment.EXPLORERIO_PUBLIC_URL },
      // A round every few minutes has gathered enough.
      limits: { gatherMs: 0 },
      random: Math.random,
      exclusive: false,
    });
  const engine = createEngine(
    {
      state,
      queue: queues.all,
      scheduler: options.scheduler?.(state) ?? noSchedules,
      ...(options.alarms && { alarms: options.alarms }),
      // Past the console, which would wrap the line: CloudWatch takes it only as it is.
      ended: (run) => void process.stdout.write(runMetricLine(environment.EXPLORERIO_STAGE, run, systemClock.now())),
      secrets,
      clock: systemClock,
      log,
      redactor,
      random: Math.random,
      loadConnector,
      connectorTypes,
      openDestination: destinationOf(environment, destinationSecrets, redactor),
      openSearch: searchOf(environment, destinationSecrets, redactor),
      ...(notifications && { notify: notifications.notify, notifications }),
      healthChecks: { everySeconds: CHECK_SECONDS },
      checkPipeline: async (fields) => (await pipelines()).checkPipeline(fields),
      network: ({ network_security: security }) => guardedNetwork(security),
      openPipeline: async (fields, lookup, kept) =>
        (await pipelines()).compilePipeline(fields, { lookup, places }, kept),
      vpn: {
        types: JSON.parse(environment.EXPLORERIO_VPN_TYPES ?? '[]') as readonly string[],
        inside: environment.EXPLORERIO_BEHIND_VPN === 'true',
      },
      every,
    },
    {
      owner,
      exclusive: false,
      // What a killed function held is waited for this long; one that works for a moment only needs no more.
      leaseMs: Math.min(LONGEST_LEASE_MS, Math.max(SHORTEST_LEASE_MS, workBudgetMs)),
      workBudgetMs,
    },
  );
  const queue = (type: string) => queues.ofType(type);
  return { engine, state, log, queue, ...(notifications && { notifications }) };
}

/** The connectors that this stage has functions for: an integration of another type could be stored, and never run. */
function deployedOf(options: HomeOptions): Pick<HomeOptions, 'connectorTypes' | 'loadConnector'> {
  const { environment, connector, connectorTypes: known, loadConnector } = options;
  if (connector !== undefined) return options;
  const queues = readQueueUrls(environment.EXPLORERIO_QUEUES);
  const connectorTypes = known.filter((type) => Object.hasOwn(queues, type));
  return {
    connectorTypes,
    async loadConnector(type) {
      if (!known.includes(type) || connectorTypes.includes(type)) return loadConnector(type);
      throw new Fault('config', 'unknown_type', `type: this stage has no function for connectors of type ${type}`, {
        hint: 'Add it to the setting "connectors" and deploy again.',
      });
    },
  };
}

/** Opens the destination by the URL in its secret, and anew by a newer one when its login is refused. */
function destinationOf(
  environment: FunctionEnvironment,
  secrets: Secrets,
  redactor: Redactor,
): EnginePorts['openDestination'] {
  return async (context, host) => {
    const sealed = { ...context, quarantineKey: await quarantineKeyOf(environment, secrets) };
    const open = (url: string) =>
      openDestination('postgresql', { url, max_connections: DESTINATION_CONNECTIONS }, sealed, host);
    return renewedDestination(renewingByUrl(environment, secrets, redactor, host.log, open));
  };
}

/** Opens the search in the destination, in the same way. */
function searchOf(environment: FunctionEnvironment, secrets: Secrets, redactor: Redactor) {
  return async (host: Host): Promise<SearchReader> => {
    const open = (url: string) => openSearch('postgresql', { url }, host);
    const renewing = renewingByUrl(environment, secrets, redactor, host.log, open);
    return {
      search: (request, places, signal) => renewing.use((reader) => reader.search(request, places, signal)),
      close: () => renewing.close(),
    };
  };
}

function renewingByUrl<T extends { close(): Promise<void> }>(
  { EXPLORERIO_DESTINATION_SECRET: name }: FunctionEnvironment,
  secrets: Secrets,
  redactor: Redactor,
  log: Logger,
  open: (url: string) => Promise<T>,
): Renewing<T> {
  const attempts = new SecretAttempts([name], secrets, redactor);
  const openWith = async (values: SecretValues) => {
    const url = values.get(name);
    if (!url) throw noDestination(name);
    redactor.add(decodeURIComponent(new URL(url).password));
    return open(url);
  };
  return new Renewing(attempts, openWith, log);
}

/** The queues of all connectors that this function may send to. */
class Queues {
  readonly #client = new SQSClient({});
  readonly #urls: QueueUrls;
  readonly #ofType = new Map<string, Queue>();
  readonly all: Queue;

  constructor({ environment, connector: own, hop }: HomeOptions, state: StateStore) {
    this.#urls = readQueueUrls(environment.EXPLORERIO_QUEUES);
    const sending = new SqsQueue({
      client: this.#client,
      urlOf: async (integration) => this.#url(own ?? (await typeOf(state, integration))),
      ...(own !== undefined && { own: this.#url(own) }),
      ...(hop && { hop }),
    });
    this.all = own === undefined ? everyQueue(sending, Object.keys(this.#urls), (type) => this.ofType(type)) : sending;
  }

  ofType(type: string): Queue {
    const url = this.#url(type);
    // Kept, as it remembers its dead-letter queue.
    const queue = this.#ofType.get(type) ?? new SqsQueue({ client: this.#client, urlOf: async () => url, own: url });
    this.#ofType.set(type, queue);
    return queue;
  }

  #url(type: string): string {
    const url = this.#urls[type];
    if (url !== undefined) return url;
    throw new Fault('config', 'unknown_type', `sending work: this stage has no queue for connectors of type ${type}`, {
      hint: 'Deploy the stage again: the connector is newer than its stacks.',
    });
  }
}

/** The connector type of a stored integration. */
export async function typeOf(state: StateStore, integration: string): Promise<string> {
  const stored = await state.get(keys.integration(integration));
  const document = (stored?.value as { readonly document?: { readonly type?: string } } | undefined)?.document;
  return document?.type ?? '';
}

/** A sync function reads the secrets of its own connector only. */
function secretHint(type: string): string {
  return `Give the secret the tag ${connectorTag(type)} = true, which lets integrations of this type use it, or name it in a declared integration and deploy again.`;
}

function noDestination(name: string): Fault {
  return new Fault('config', 'no_destination', `opening the destination: the secret ${name} has no value`, {
    hint: 'Put the URL of a PostgreSQL database into it: postgresql://user:password@host/database?ssl=true',
  });
}

/** A sync function starts runs by their schedules, it does not make any. */
const noSchedules: Scheduler = {
  set: async () => undefined,
  remove: async () => undefined,
  list: async () => [],
  next: async () => undefined,
};
