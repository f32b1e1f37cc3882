import { setImmediate } from 'node:timers/promises';
import type { Batch } from '../../../lib/core/batch';
import type {
  Connector,
  PartitionRequest,
  Partitions,
  ScanRequest,
  Source,
  StreamInfo,
} from '../../../lib/core/connector';
import type { Addition, Destination, WriteOptions, WriteResult } from '../../../lib/core/destination';
import { Fault, type FaultKind } from '../../../lib/core/fault';
import type { Pipeline } from '../../../lib/core/pipeline';
import type { Alarms, CredentialStores, Secrets } from '../../../lib/core/ports';
import type { SliceKey } from '../../../lib/core/position';
import { FINAL_STATES, type RunDetails } from '../../../lib/core/run';
import { Redactor } from '../../../lib/core/secret';
import type { SyncRequest } from '../../../lib/core/service';
import { createEngine, type Engine } from '../../../lib/engine/engine';
import type { Notifications } from '../../../lib/engine/notify/notifications';
import type { EngineOptions, EnginePorts } from '../../../lib/engine/ports';
import { ManualClock } from '../../memory/clock';
import { MemoryStore, memoryDestination, memorySearch } from '../../memory/destination';
import { MemoryQueue } from '../../memory/queue';
import { memoryScheduler, silentLog } from '../../memory/scheduler';
import { MemorySecrets } from '../../memory/secrets';
import { MemoryDatabase, memoryConnector } from '../../memory/source';
import { ObservedState } from './observed-state';

/** Signal of somebody with patience. */
export const NEVER = new AbortController().signal;

/** What a test does or throws at the calls that leave the engine. */
export interface Hooks {
  open?(): void;
  discover?(): Promise<void>;
  /** In the place of what was discovered. */
  discovered?(infos: readonly StreamInfo[]): readonly StreamInfo[];
  partitions?(request: PartitionRequest, source: Source): Promise<Partitions> | undefined;
  /** Before batch number `batch` (from 0) of a scan is given. */
  scan?(request: ScanRequest, batch: number): Promise<void> | void;
  /** Before a batch is written, alone or in a transaction with others. */
  write?(batch: Batch, options: WriteOptions): Promise<void> | void;
  publish?(stream: string): Promise<void> | void;
  drop?(): Promise<void>;
}

/** One home over memory: a source, a destination and a state that outlive its engines, and a clock that stands still. */
export class Home {
  readonly clock = new ManualClock();
  readonly database = new MemoryDatabase();
  readonly store = new MemoryStore();
  readonly state = new ObservedState(this.clock);
  readonly queue = new MemoryQueue(this.clock, { maxReceives: 20 });
  readonly scheduler = memoryScheduler(this.clock);
  readonly secrets: Secrets;
  readonly redactor = new Redactor();
  readonly timers = new Set<() => void>();
  readonly hooks: Hooks = {};
  bytes = false;
  pipeline: Pipeline | undefined;
  openPipeline: EnginePorts['openPipeline'];
  alarms: Alarms | undefined;
  evaluator: EnginePorts['evaluator'];
  ended: EnginePorts['ended'];
  notifications: Notifications | undefined;
  /** In the place of what `notifications` would send. */
  notify: EnginePorts['notify'];
  credentialStores: CredentialStores | undefined;
  vpn: EnginePorts['vpn'];
  resolveHost: EnginePorts['resolveHost'];
  findRoute: EnginePorts['findRoute'];
  healthChecks: EnginePorts['healthChecks'];
  /** In the place of the source's own check. */
  check: Source['check'] | undefined;
  /** Scans under way, and the most at the same time. */
  scans = 0;
  mostScans = 0;
  opened = 0;
  closed = 0;

  constructor(secrets: Secrets = new MemorySecrets({})) {
    this.secrets = secrets;
  }

  /** An engine on this home, as a process has one. */
  engine(options: Partial<EngineOptions> = {}, loadConnector: () => Connector = () => this.connector()): Engine {
    return createEngine(
      {
        state: this.state,
        queue: this.queue,
        scheduler: this.scheduler,
        secrets: this.secrets,
        clock: this.clock,
        log: silentLog,
        redactor: this.redactor,
        random: Math.random,
        loadConnector: async () => loadConnector(),
        connectorTypes: ['memory'],
        openDestination: async (context) => this.#destination(memoryDestination(this.store, context, this.bytes)),
        openSearch: async () => memorySearch(this.store),
        openPipeline: async (...given) => this.openPipeline?.(...given) ?? this.pipeline,
        ...(this.credentialStores && { credentialStores: this.credentialStores }),
        ...(this.alarms && { alarms: this.alarms }),
        ...(this.evaluator && { evaluator: this.evaluator }),
        ...(this.ended && { ended: this.ended }),
        ...(this.notifications && { notify: this.notifications.notify, notifications: this.notifications }),
        ...(this.notify && { notify: this.notify }),
        ...(this.healthChecks && { healthChecks: this.healthChecks }),
        ...(this.vpn && { vpn: this.vpn }),
        ...(this.resolveHost && { resolveHost: this.resolveHost }),
        ...(this.findRoute && { findRoute: this.findRoute }),
        every: (_ms, work) => {
          this.timers.add(work);
          return () => this.timers.delete(work);
        },
      },
      { owner: 'tester', parallel: 1, batch: { rows: 2, bytes: 1e6 }, ...options },
    );
  }

  connector(): Connector {
    return memoryConnector(this.database, (source) => this.#source(source));
  }

  /** Lets every heartbeat beat once. */
  async beat(): Promise<void> {
    for (const timer of this.timers) timer();
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  }

  fill(stream: string, rows: number, first = 1): void {
    for (let id = first; id < first + rows; id++) this.database.put(stream, id, `text ${id}`);
  }

  visible(stream: string, integration = 'shop'): number {
    return this.store.visible(integration, stream).length;
  }

  #source(source: Source): Source {
    this.hooks.open?.();
    this.opened++;
    const { partitions, scan } = source;
    if (!partitions || !scan) throw new Error('the source in memory has both');
    return {
      check: (signal) => (this.check ?? source.check.bind(source))(signal),
      discover: async (signal) => {
        await this.hooks.discover?.();
        const infos = await source.discover(signal);
        return this.hooks.discovered?.(infos) ?? infos;
      },
      partitions: async (request) =>
        (await this.hooks.partitions?.(request, source)) ?? partitions.call(source, request),
      scan: (request) => this.#scan(request, scan.call(source, request)),
      ...(source.feed && { feed: source.feed }),
      close: async () => {
        this.closed++;
        await source.close();
      },
    };
  }

  async *#scan(request: ScanRequest, batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    this.mostScans = Math.max(this.mostScans, ++this.scans);
    try {
      let count = 0;
      await this.hooks.scan?.(request, count++);
      for await (const batch of batches) {
        yield batch;
        await this.hooks.scan?.(request, count++);
      }
    } finally {
      this.scans--;
    }
  }

  async *#seen(additions: AsyncIterable<Addition>, options: WriteOptions): AsyncGenerator<Addition> {
    for await (const addition of additions) {
      await this.hooks.write?.(addition.batch, { ...options, rejected: addition.rejected });
      yield addition;
    }
  }

  #destination(destination: Destination): Destination {
    return {
      ...destination,
      write: async (batch, slice, options) => {
        await this.hooks.write?.(batch, options);
        return destination.write(batch, slice, options);
      },
      ...(destination.append && {
        append: async (additions: AsyncIterable<Addition>, slice: SliceKey, options: WriteOptions) => {
          return (await destination.append?.(this.#seen(additions, options), slice, options)) as WriteResult;
        },
      }),
      publish: async (stream, load, options) => {
        await this.hooks.publish?.(stream.stream);
        return destination.publish(stream, load, options);
      },
      drop: async () => {
        await this.hooks.drop?.();
        await destination.drop();
      },
    };
  }
}

/** A document of the type in memory. */
export function document(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: 'shop', type: 'memory', connection: {}, ...more };
}

/** A manual sync that is refused while another runs. */
export const MANUAL: SyncRequest = { trigger: 'manual', whenRunning: 'refuse' };

/** The same, but it waits for its turn. */
export const QUEUED: SyncRequest = { trigger: 'manual', whenRunning: 'queue' };

/** A fault as a source would throw it. */
export function faultOf(kind: FaultKind, code = `${kind}_test`, retryAfterMs?: number): Fault {
  return new Fault(kind, code, `reading: ${kind}`, {
    hint: `What to do about ${kind}.`,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Works with `workers` at a time until the run has ended; nothing looks for what was left behind meanwhile. */
export async function finish(home: Home, engine: Engine, id: string, workers = 1, seconds = 900): Promise<RunDetails> {
  const end = home.clock.now() + seconds * 1000;
  while (home.clock.now() < end) {
    const steps = await Promise.all(Array.from({ length: workers }, () => engine.step(0, NEVER)));
    const run = await engine.service.run(id);
    if (FINAL_STATES.includes(run.state)) return run;
    if (!steps.some(Boolean)) await home.clock.jump(1000);
  }
  throw new Error(`stuck: ${id} is ${(await engine.service.run(id)).state} after ${seconds} s`);
}

/** Asks for a sync and works until it has ended. */
export async function syncAll(home: Home, engine: Engine, request: Partial<SyncRequest> = {}): Promise<RunDetails> {
  const { id } = await engine.service.sync('shop', { ...MANUAL, ...request });
  return finish(home, engine, id);
}

/** The fault that `work` ends with. */
export async function faultFrom(work: Promise<unknown>): Promise<Fault> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Fault) return error;
  throw new Error(`expected a fault, got ${String(error)}`);
}

/** Something to wait for until it is let go. */
export function gate() {
  let letGo = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { promise, letGo };
}
