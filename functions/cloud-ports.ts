import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { dynamoClient } from '../lib/adapters/aws/dynamo-client';
import { powertoolsLog } from '../lib/adapters/aws/log';
import { AwsSecrets } from '../lib/adapters/aws/secrets';
import { DynamoStateStore } from '../lib/adapters/aws/state';
import { CHECK_SECONDS } from '../lib/core/alert/rule';
import type { Connector } from '../lib/core/connector';
import { Fault } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import type { Queue, Scheduler, Secrets, StateStore } from '../lib/core/ports';
import { Redactor } from '../lib/core/secret';
import { every, systemClock } from '../lib/core/system-clock';
import type { EngineOptions, EnginePorts } from '../lib/engine/ports';
import { connectorTag, type FunctionEnvironment } from '../lib/infra/env';
import { guardedNetwork } from '../lib/network/guard';
import { openPlaces } from '../lib/places/places';
import { openDestinationOf } from './destination';
import { Queues } from './queues';
import { runMetricLine } from './run-metrics';

/** What differs between the functions. */
export interface PortOptions {
  readonly environment: FunctionEnvironment;
  /** The one connector of a sync function, which receives from its queue and sends to no other. */
  readonly connector?: string;
  readonly connectorTypes: readonly string[];
  loadConnector(type: string): Promise<Connector>;
  /** How many messages led to the one at hand, each sent by the one before. */
  readonly hop?: () => number;
}

/** The services of AWS behind the ports of the engine, and what a handler needs beside them. */
export interface CloudPorts {
  readonly ports: EnginePorts;
  readonly options: Pick<EngineOptions, 'owner' | 'exclusive' | 'leaseMs' | 'workBudgetMs'>;
  readonly state: StateStore;
  readonly log: Logger;
  readonly secrets: Secrets;
  /** Secrets that are named in full, not below the prefix: no document can refer to them. */
  readonly destinationSecrets: Secrets;
  readonly redactor: Redactor;
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

/** Builds the ports of one function; nothing is connected before it is used. */
export function cloudPorts(given: PortOptions): CloudPorts {
  const { environment, connector } = given;
  const redactor = new Redactor();
  const log = powertoolsLog(`explorerio-${connector ?? 'api'}`, redactor);
  const state = new DynamoStateStore({
    client: dynamoClient(),
    table: environment.EXPLORERIO_TABLE,
    clock: systemClock,
  });
  const client = new SecretsManagerClient({});
  const secrets = new AwsSecrets({
    client,
    prefix: environment.EXPLORERIO_SECRETS_PREFIX,
    clock: systemClock,
    ...(connector !== undefined && { hint: secretHint(connector) }),
  });
  const destinationSecrets = new AwsSecrets({ client, prefix: '', clock: systemClock });
  const queues = new Queues(given, state);
  const places = openPlaces(environment.EXPLORERIO_GEOIP_DATABASE);
  const ports: EnginePorts = {
    ...{ state, secrets, log, redactor, every, queue: queues.all, scheduler: noSchedules, clock: systemClock },
    random: Math.random,
    // Past the console, which would wrap the line: CloudWatch takes it only as it is.
    ended: (run) => void process.stdout.write(runMetricLine(environment.EXPLORERIO_STAGE, run, systemClock.now())),
    loadConnector: given.loadConnector,
    connectorTypes: given.connectorTypes,
    openDestination: openDestinationOf(environment, destinationSecrets, redactor),
    healthChecks: { everySeconds: CHECK_SECONDS },
    checkPipeline: async (fields) => (await pipelines()).checkPipeline(fields),
    network: ({ network_security: security }) => guardedNetwork(security),
    openPipeline: async (fields, lookup, kept) => (await pipelines()).compilePipeline(fields, { lookup, places }, kept),
    vpn: {
      types: JSON.parse(environment.EXPLORERIO_VPN_TYPES ?? '[]') as readonly string[],
      inside: environment.EXPLORERIO_BEHIND_VPN === 'true',
    },
  };
  const queue = (type: string) => queues.ofType(type);
  return { ports, options: optionsOf(environment), state, log, secrets, destinationSecrets, redactor, queue };
}

function optionsOf(environment: FunctionEnvironment): CloudPorts['options'] {
  const workBudgetMs = Number(environment.EXPLORERIO_WORK_SECONDS ?? DEFAULT_WORK_SECONDS) * 1000;
  return {
    owner: `${process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'local'}/${process.pid}-${Date.now().toString(36)}`,
    exclusive: false,
    // What a killed function held is waited for this long; one that works for a moment only needs no more.
    leaseMs: Math.min(LONGEST_LEASE_MS, Math.max(SHORTEST_LEASE_MS, workBudgetMs)),
    workBudgetMs,
  };
}

/** A sync function reads the secrets of its own connector only. */
function secretHint(type: string): string {
  return `Give the secret the tag ${connectorTag(type)} = true, which lets integrations of this type use it, or name it in a declared integration and deploy again.`;
}

/** A sync function starts runs by their schedules, it does not make any. */
const noSchedules: Scheduler = {
  set: async () => undefined,
  remove: async () => undefined,
  list: async () => [],
  next: async () => undefined,
};
