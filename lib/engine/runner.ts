import type { Delivery } from '../core/ports';
import type { Service } from '../core/service';
import { advance } from './advance';
import { createContext, type EngineContext } from './context';
import { checkDocument } from './document';
import { loadIntegration, viewIntegration } from './integrations';
import type { EngineOptions, EnginePorts } from './ports';
import { redactingService } from './redacting';
import { requestRun } from './runs';
import { viewRun } from './views';

/** What of the service is asked for where integrations run and nobody manages them. */
export type RunService = Pick<Service, 'get' | 'sync'>;

/** The part of an engine that runs integrations, for a process that does nothing else. */
export interface Runner {
  readonly service: RunService;
  /**
   * Advances the run of a message that the home has received, and closes what it opened. When it throws, the message was
   * not handled and must come again.
   */
  handle(delivery: Delivery, stop: AbortSignal): Promise<void>;
}

/** Builds the part of an engine that runs integrations, over the ports of a home. */
export function createRunner(ports: EnginePorts, options: Partial<EngineOptions> & { readonly owner: string }): Runner {
  const context = createContext(ports, options);
  return {
    service: redactingService(runService(context), context.ports),
    handle: (delivery, stop) => handle(context, delivery, stop),
  };
}

/** See {@link RunService}; what it answers may still hold secrets. */
export function runService(context: EngineContext): RunService {
  const { clock, loadConnector } = context.ports;
  return {
    get: async (id) => viewIntegration(context, await loadIntegration(context, id)),
    sync: async (id, request) => {
      const { value } = await loadIntegration(context, id);
      await checkDocument(value.document, loadConnector);
      return viewRun(await requestRun(context, id, value, request), clock.now());
    },
  };
}

/** See {@link Runner}. */
export async function handle(context: EngineContext, delivery: Delivery, stop: AbortSignal): Promise<void> {
  try {
    await advance(context, delivery, stop);
  } finally {
    await context.sessions.endAll();
  }
}
