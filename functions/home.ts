import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { dynamoClient } from '../lib/adapters/aws/dynamo-client';
import { powertoolsLog } from '../lib/adapters/aws/log';
import { SqsQueue } from '../lib/adapters/aws/queue';
import { AwsSecrets } from '../lib/adapters/aws/secrets';
import { DynamoStateStore } from '../lib/adapters/aws/state';
import type { Connector } from '../lib/core/connector';
import { Fault } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import type { Queue, Scheduler, StateStore } from '../lib/core/ports';
import { Redactor } from '../lib/core/secret';
import { every, systemClock } from '../lib/core/system-clock';
import { openDestination } from '../lib/destinations';
import { createEngine, type Engine } from '../lib/engine/engine';
import { keys } from '../lib/engine/state';
import { DESTINATION_CONNECTIONS, type FunctionEnvironment } from '../lib/infra/env';

/** What differs between the functions. */
export interface HomeOptions {
  readonly environment: FunctionEnvironment;
  /** The one connector of a sync function, which receives from its queue and sends to no other. */
  readonly connector?: string;
  readonly connectorTypes: readonly string[];
  loadConnector(type: string): Promise<Connector>;
  /** Makes schedules; without it this function cannot. */
  scheduler?(state: StateStore): Scheduler;
  /** How many messages led to the one at hand, each sent by the one before. */
  readonly hop?: () => number;
}

/** The engine over the services of AWS, and what a handler needs beside it. */
export interface CloudHome {
  readonly engine: Engine;
  readonly state: StateStore;
  readonly log: Logger;
  /** The queue of a connector type. */
  queue(type: string): Queue;
}

const LEASE_MS = 60_000;
const DEFAULT_WORK_SECONDS = 240;

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
] as const;

/** Builds the engine of one function; nothing is connected before it is used. */
export function openCloudHome(options: HomeOptions): CloudHome {
  const { environment, loadConnector, connectorTypes } = options;
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
  });
  // Named in full, not below the prefix: no document can refer to it.
  const destination = new AwsSecrets({ client: secretsClient, prefix: '', clock: systemClock });
  const queues = new Queues(options, state);
  const engine = createEngine(
    {
      state,
      queue: queues.all,
      scheduler: options.scheduler?.(state) ?? noSchedules,
      secrets,
      clock: systemClock,
      log,
      redactor,
      random: Math.random,
      loadConnector,
      connectorTypes,
      async openDestination(context, host) {
        const url = await destination.get(environment.EXPLORERIO_DESTINATION_SECRET);
        if (!url?.reveal()) throw noDestination(environment);
        redactor.add(url.reveal());
        redactor.add(decodeURIComponent(new URL(url.reveal()).password));
        return openDestination(
          'postgresql',
          { url: url.reveal(), max_connections: DESTINATION_CONNECTIONS },
          context,
          host,
        );
      },
      every,
    },
    {
      owner: `${process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'local'}/${process.pid}-${Date.now().toString(36)}`,
      exclusive: false,
      leaseMs: LEASE_MS,
      workBudgetMs: Number(environment.EXPLORERIO_WORK_SECONDS ?? DEFAULT_WORK_SECONDS) * 1000,
    },
  );
  return { engine, state, log, queue: (type) => queues.ofType(type) };
}

/** The queues of all connectors that this function may send to. */
class Queues {
  readonly #client = new SQSClient({});
  readonly #urls: { readonly [type: string]: string };
  readonly #dead: { readonly [type: string]: string };
  readonly all: Queue;

  constructor({ environment, connector: own, hop }: HomeOptions, state: StateStore) {
    this.#urls = JSON.parse(environment.EXPLORERIO_QUEUES) as { readonly [type: string]: string };
    this.#dead = JSON.parse(environment.EXPLORERIO_DEAD_LETTERS ?? '{}') as { readonly [type: string]: string };
    this.all = new SqsQueue({
      client: this.#client,
      urlOf: async (integration) => this.#url(own ?? (await typeOf(state, integration))),
      ...(own !== undefined && { own: this.#url(own) }),
      ...(hop && { hop }),
    });
  }

  ofType(type: string): Queue {
    const url = this.#url(type);
    const deadLetters = this.#dead[type];
    return new SqsQueue({
      client: this.#client,
      urlOf: async () => url,
      own: url,
      ...(deadLetters !== undefined && { deadLetters }),
    });
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

function noDestination({ EXPLORERIO_DESTINATION_SECRET: name }: FunctionEnvironment): Fault {
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
