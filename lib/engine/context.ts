import { DEFAULT_OPTIONS, type EngineOptions, type EnginePorts } from './ports';
import { redactingPorts } from './redacting';
import { Sessions } from './sessions';
import type { Lease, RunItem } from './state';

/** What every part of the engine works with. */
export interface EngineContext {
  readonly ports: EnginePorts;
  readonly options: EngineOptions;
  readonly sessions: Sessions;
  /** Aborted when a run is cancelled in this process. */
  readonly cancellations: Map<string, AbortController>;
  /** How many workers of this process are at a run. */
  readonly workers: Map<string, number>;
  /** Told when a run of this process reached a final state. */
  readonly settled: Map<string, Set<() => void>>;
}

/** Builds the context of one engine. */
export function createContext(
  given: EnginePorts,
  options: Partial<EngineOptions> & { readonly owner: string },
): EngineContext {
  const ports = redactingPorts(given);
  return {
    ports,
    options: { ...DEFAULT_OPTIONS, ...options },
    sessions: new Sessions(ports),
    cancellations: new Map(),
    workers: new Map(),
    settled: new Map(),
  };
}

/** A new lease, marked with this process and a nonce, so that two workers of one process differ. */
export function newLease(context: EngineContext): Lease {
  const { clock, random } = context.ports;
  const nonce = Math.floor(random() * 2 ** 48).toString(36);
  return { owner: `${context.options.owner}/${nonce}`, until: clock.now() + context.options.leaseMs };
}

/** Whether somebody still works under this lease. */
export function isHeld(context: EngineContext, lease: Lease | undefined): boolean {
  if (lease === undefined || lease.until <= context.ports.clock.now()) return false;
  return !context.options.exclusive || lease.owner.startsWith(`${context.options.owner}/`);
}

/** The signal that cancels a run's work in this process. */
export function cancellation(context: EngineContext, run: string): AbortSignal {
  let controller = context.cancellations.get(run);
  if (controller === undefined) {
    controller = new AbortController();
    context.cancellations.set(run, controller);
  }
  return controller.signal;
}

/** Slices of one run that may be read at the same time. */
export function parallelOf(context: EngineContext, run: RunItem): number {
  const settings = run.document.sync_settings as { readonly parallel?: number } | undefined;
  return settings?.parallel ?? context.options.parallel;
}

/** Calls as many workers to a run as it may still have: there is work now that those called before did not find. */
export async function callOthers(context: EngineContext, run: RunItem): Promise<void> {
  const idle = parallelOf(context, run) - (context.workers.get(run.id) ?? 1);
  const message = { body: { run: run.id }, group: run.integration };
  if (idle > 0) await context.ports.queue.send(Array.from({ length: idle }, () => message));
}
