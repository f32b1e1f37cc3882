import type { AlertEvaluator } from '../core/alert/evaluation';
import type { Connector, Host } from '../core/connector';
import type { Destination, DestinationContext } from '../core/destination';
import type { IntegrationDocument, IntegrationFields } from '../core/integration';
import type { Logger } from '../core/log';
import type { Network, Route } from '../core/network';
import type { Notification } from '../core/notification';
import type { Pipeline, PipelineServices } from '../core/pipeline';
import type { Alarms, Clock, CredentialStores, Queue, Scheduler, Secrets, StateStore } from '../core/ports';
import type { RunState } from '../core/run';
import type { StreamSchema } from '../core/schema';
import type { SearchReader } from '../core/search';
import type { Redactor } from '../core/secret';
import type { Notifications } from './notify/notifications';

/** What a home plugs into the engine. */
export interface EnginePorts {
  readonly state: StateStore;
  readonly queue: Queue;
  readonly scheduler: Scheduler;
  readonly secrets: Secrets;
  /** The files of credentials that documents name; left out where a home reads no files. */
  readonly credentialStores?: CredentialStores;
  readonly clock: Clock;
  readonly log: Logger;
  readonly redactor: Redactor;
  /** 0 to 1, as Math.random. */
  random(): number;
  /** @throws Fault `config`/`unknown_type` */
  loadConnector(type: string): Promise<Connector>;
  readonly connectorTypes: readonly string[];
  openDestination(context: DestinationContext, host: Host): Promise<Destination>;
  /** The search over what all integrations have stored; left out where there is none. */
  openSearch?(host: Host): Promise<SearchReader>;
  /**
   * The steps and rules of an integration, whose references to secrets are resolved; `undefined` when it has none, so
   * that bytes may pass unparsed. Streams in `kept` keep that shape. @throws Fault `config`/`invalid_config`
   */
  openPipeline?(
    fields: IntegrationFields,
    lookup: PipelineServices['lookup'],
    kept: ReadonlyMap<string, StreamSchema>,
  ): Promise<Pipeline | undefined>;
  /** Rings the alerts of integrations; left out where nothing does. */
  readonly alarms?: Alarms;
  /** Evaluates alerts in this process, for a home that looks at them itself; left out where `alarms` rings them. */
  readonly evaluator?: AlertEvaluator;
  /**
   * Has a notification sent on these channels, in time; resolves when it is stored. Without `channels`: on those of the
   * alert that `facts.alert` names, else on all. One with an id that was given before is dropped. Left out where nobody
   * is told.
   */
  notify?(notification: Notification, channels?: readonly string[]): Promise<void>;
  /** The channels behind `notify`, for those who ask how they stand. */
  readonly notifications?: Notifications;
  /** How often this home looks for health checks that are due, in seconds; left out where it makes none. */
  readonly healthChecks?: { readonly everySeconds: number };
  /** Told of each run that ends, once, by whoever ends it; not when that dies at this moment. */
  ended?(run: EndedRun): void;
  /** How the work is placed; absent where the way to a source is that of the machine. */
  readonly vpn?: VpnPlacing;
  /** The address of a host name. */
  resolveHost?(name: string): Promise<string>;
  /** How this machine would reach an address; `undefined` when it has no route. Left out where nobody can tell. */
  findRoute?(address: string): Promise<Route | undefined>;
  /** The rules for connections to the source of an integration. @throws Fault `config`/`invalid_config` */
  network?(fields: IntegrationFields): Network;
  /** Checks steps and rules as far as can be done without a stream. @throws Fault `config`/`invalid_config` */
  checkPipeline?(fields: IntegrationFields): Promise<void>;
  /** Calls `work` every `ms` until the returned function is called. */
  every(ms: number, work: () => void): () => void;
}

/** A run that has come to its end. */
export interface EndedRun {
  readonly id: string;
  readonly integration: string;
  readonly document: IntegrationDocument;
  readonly state: RunState;
  readonly rows: number;
  readonly quarantined: number;
  readonly skipped: number;
}

/** Which functions of a stage are behind its VPN. */
export interface VpnPlacing {
  /** Connector types whose runs are. */
  readonly types: readonly string[];
  /** Whether this one is. */
  readonly inside: boolean;
}

/** Figures that a home may set. */
export interface EngineOptions {
  /** Names this process; every lease is marked with it. */
  readonly owner: string;
  /** How long a lease lasts without being renewed. */
  readonly leaseMs: number;
  /** Time after which a worker leaves its slice at the next batch; `Infinity` where nothing stops it. */
  readonly workBudgetMs: number;
  /** Targets for one batch. */
  readonly batch: { readonly rows: number; readonly bytes: number };
  /**
   * When the transaction that adds batches to a load is closed, whichever comes first. What it holds is lost with the
   * process and read again; each transaction costs a few round trips.
   */
  readonly group: { readonly batches: number; readonly ms: number };
  /** Slices of one run read at the same time, where the document does not say. */
  readonly parallel: number;
  /** Failed attempts without progress before a stream is given up. */
  readonly maxAttempts: number;
  /** True when no other process can hold a lease (one process per data folder): foreign leases are then ignored. */
  readonly exclusive: boolean;
}

/** Sensible for a laptop. */
export const DEFAULT_OPTIONS: Omit<EngineOptions, 'owner'> = {
  leaseMs: 60_000,
  workBudgetMs: Number.POSITIVE_INFINITY,
  // Small enough that most rows die before the collector of young objects runs: with larger batches it moves them all to
  // the old ones, and the process needs much more memory.
  batch: { rows: 400, bytes: 512 * 1024 },
  group: { batches: 256, ms: 1000 },
  parallel: 2,
  maxAttempts: 8,
  exclusive: true,
};
