import type { Connector, Host } from '../core/connector';
import type { Destination, DestinationContext } from '../core/destination';
import type { IntegrationFields } from '../core/integration';
import type { Logger } from '../core/log';
import type { Pipeline } from '../core/pipeline';
import type { Clock, Queue, Scheduler, Secrets, StateStore } from '../core/ports';
import type { Redactor } from '../core/secret';

/** What a home plugs into the engine. */
export interface EnginePorts {
  readonly state: StateStore;
  readonly queue: Queue;
  readonly scheduler: Scheduler;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Logger;
  readonly redactor: Redactor;
  /** 0 to 1, as Math.random. */
  random(): number;
  /** @throws Fault `config`/`unknown_type` */
  loadConnector(type: string): Promise<Connector>;
  readonly connectorTypes: readonly string[];
  openDestination(context: DestinationContext, host: Host): Promise<Destination>;
  /** The steps and rules of an integration; `undefined` when it has none, so that bytes may pass unparsed. */
  pipeline?(fields: IntegrationFields): Pipeline | undefined;
  /** Calls `work` every `ms` until the returned function is called. */
  every(ms: number, work: () => void): () => void;
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
  group: { batches: 64, ms: 1000 },
  parallel: 2,
  maxAttempts: 8,
  exclusive: true,
};
