import type { Service } from '../core/service';
import { abandonRun } from './advance';
import { lookAtAlerts } from './alerts/look';
import { createContext } from './context';
import { checkCredentials } from './credential-notices';
import { applySchedule, listIntegrations } from './integrations';
import { tellOfRuns } from './notify/run-news';
import { type Observation, observe } from './observe';
import type { EngineOptions, EnginePorts } from './ports';
import { Probes } from './probe/probes';
import { handle, type Runner } from './runner';
import { recoverRuns } from './runs';
import { createService } from './service';
import { step, work } from './worker';

/** The engine of one home: what can be asked of it, and the workers that do it. */
export interface Engine extends Runner {
  readonly service: Service;
  /** Works until `stop` aborts: takes messages, advances runs. Ends when everything is closed. */
  work(workers: number, stop: AbortSignal): Promise<void>;
  /** Handles at most one message, waiting up to `waitMs` for it; gives whether there was one. */
  step(waitMs: number, stop: AbortSignal): Promise<boolean>;
  /** Ends a run whose message was received too often, as failed. Gives whether it was still going on. */
  abandon(run: string): Promise<boolean>;
  /** Tells of the runs that ended since the last time; what is to be told is stored then, not yet sent. */
  tellOfRuns(): Promise<void>;
  /** Looks at the alerts of all integrations, where this home evaluates them; what is to be told is stored then, not yet sent. */
  lookAtAlerts(stop?: AbortSignal): Promise<void>;
  /** How every integration stands, with what its alerts may ask for; the runs of each are read once. */
  observe(): Promise<readonly Observation[]>;
  /** The regular tests of connections. */
  readonly probes: Probes;
  /** Tells of credentials that should be changed, unless that was looked after less than `everyMs` ago. */
  checkCredentials(everyMs?: number): Promise<void>;
  /** Sends interrupted runs to the workers again. For the start, and now and then. */
  recover(): Promise<void>;
}

/** Builds an engine over the ports of a home. */
export function createEngine(ports: EnginePorts, options: Partial<EngineOptions> & { readonly owner: string }): Engine {
  const context = createContext(ports, options);
  return {
    service: createService(context),
    probes: new Probes(context),
    work: (workers, stop) => work(context, workers, stop),
    step: (waitMs, stop) => step(context, waitMs, stop),
    handle: (delivery, stop) => handle(context, delivery, stop),
    abandon: (run) => abandonRun(context, run),
    tellOfRuns: () => tellOfRuns(context),
    lookAtAlerts: (stop) => lookAtAlerts(context, stop),
    observe: () => observe(context),
    checkCredentials: (everyMs = 0) => checkCredentials(context, everyMs),
    async recover() {
      const all = await listIntegrations(context);
      for (const stored of all) await applySchedule(context, stored.value.document);
      await recoverRuns(
        context,
        all.map((stored) => stored.key.sort),
      );
      await ports.alarms?.reconcile(all.map((stored) => stored.value.document));
    },
  };
}
