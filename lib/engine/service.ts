import * as z from 'zod';
import type { Source } from '../core/connector';
import { type IntegrationDocument, integrationFields } from '../core/integration';
import type { Json } from '../core/json';
import { FINAL_STATES, type RunDetails } from '../core/run';
import type { ConnectorInfo, Plan, Service } from '../core/service';
import type { EngineContext } from './context';
import { checkDocument, connectorOfStored } from './document';
import {
  createIntegration,
  listIntegrations,
  loadIntegration,
  removeIntegration,
  updateIntegration,
  viewIntegration,
} from './integrations';
import { unmaskSecrets } from './masking';
import { decide, describePlan, unknownStreams } from './planning';
import { cancelRun, loadRun, requestRun } from './runs';
import { openDestination, openSource } from './sessions';
import { healthOf, recentRuns, statsOf, statusOf } from './status';
import { viewRun, viewRunDetails } from './views';

const WAIT_POLL_MS = 500;

/** The service above one engine. */
export function createService(context: EngineContext): Service {
  const { ports } = context;
  const now = () => ports.clock.now();
  return {
    connectors: () => Promise.all(ports.connectorTypes.map((type) => describeConnector(context, type))),
    validate: async (document) => (await checkDocument(document, ports.loadConnector)).warnings,
    create: (document) => createIntegration(context, document),
    list: async () => Promise.all((await listIntegrations(context)).map((stored) => viewIntegration(context, stored))),
    get: async (id) => viewIntegration(context, await loadIntegration(context, id)),
    update: (id, document, revision) => updateIntegration(context, id, document, revision),
    remove: (id, options) => removeIntegration(context, id, options),
    check: (target, signal) => withSource(context, target, (source) => source.check(signal)),
    discover: (target, signal) => withSource(context, target, (source) => source.discover(signal)),
    plan: (target, signal) => plan(context, target, signal),
    sync: async (id, request) => {
      const { value } = await loadIntegration(context, id);
      await checkDocument(value.document, ports.loadConnector);
      return viewRun(await requestRun(context, id, value, request), now());
    },
    wait: (run, signal) => wait(context, run, signal),
    runs: async (id, query) => {
      await loadIntegration(context, id);
      return (await recentRuns(context, id, query.limit, query.after)).map((run) => viewRun(run, now()));
    },
    run: async (id) => viewRunDetails(context, await loadRun(context, id)),
    cancel: async (id) => viewRun(await cancelRun(context, id), now()),
    status: async (id) => statusOf(context, id, (await loadIntegration(context, id)).value),
    health: async () => {
      const all = await listIntegrations(context);
      return Promise.all(all.map((stored) => healthOf(context, stored.key.sort)));
    },
    stats: async () => {
      const all = await listIntegrations(context);
      return Promise.all(all.map((stored) => statsOf(context, stored.key.sort)));
    },
    quarantined: async (id, query) => {
      const { fields } = await checkDocument(await targetDocument(context, id), ports.loadConnector);
      const destination = await openDestination(ports, fields);
      try {
        return await destination.quarantined(query);
      } finally {
        await destination.close();
      }
    },
  };
}

type Target = string | IntegrationDocument;

/** A stored document, or the given one; a secret that is masked in it is taken from the stored one of the same name. */
async function targetDocument(context: EngineContext, target: Target): Promise<IntegrationDocument> {
  if (typeof target === 'string') return (await loadIntegration(context, target)).value.document;
  const stored = (await listIntegrations(context)).find((item) => item.key.sort === target.name);
  if (stored === undefined) return target;
  const { document } = stored.value;
  const connector = await connectorOfStored(document, context.ports.loadConnector);
  return unmaskSecrets(target, document, connector) as IntegrationDocument;
}

async function withSource<T>(context: EngineContext, target: Target, work: (source: Source) => Promise<T>): Promise<T> {
  const source = await openSource(context.ports, await targetDocument(context, target));
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

async function plan(context: EngineContext, target: Target, signal: AbortSignal): Promise<Plan> {
  const document = await targetDocument(context, target);
  const { fields, warnings } = await checkDocument(document, context.ports.loadConnector);
  const infos = await withSource(context, document, (source) => source.discover(signal));
  const unknown = unknownStreams(infos, fields).map((name) => `streams.${name}: the source has no such stream`);
  return describePlan(fields, decide(infos, fields), [...warnings, ...unknown]);
}

async function wait(context: EngineContext, id: string, signal: AbortSignal): Promise<RunDetails> {
  const listeners = context.settled.get(id) ?? new Set();
  context.settled.set(id, listeners);
  try {
    for (;;) {
      // Listening begins before the run is read, so that an end in between is not slept through.
      const settled = new AbortController();
      const wake = () => settled.abort();
      listeners.add(wake);
      try {
        const run = await loadRun(context, id);
        if (FINAL_STATES.includes(run.state) || signal.aborted) return await viewRunDetails(context, run);
        await context.ports.clock.sleep(WAIT_POLL_MS, AbortSignal.any([signal, settled.signal]));
      } finally {
        listeners.delete(wake);
      }
    }
  } finally {
    if (listeners.size === 0) context.settled.delete(id);
  }
}

async function describeConnector(context: EngineContext, type: string): Promise<ConnectorInfo> {
  const { title, modes, jsonSchema } = await context.ports.loadConnector(type);
  const common = z.toJSONSchema(integrationFields, { io: 'input', unrepresentable: 'any' }) as ObjectSchema;
  const own = jsonSchema() as ObjectSchema;
  const schema = {
    ...common,
    title,
    properties: { ...common.properties, type: { const: type }, ...own.properties },
    required: [...new Set([...(common.required ?? []), ...(own.required ?? [])])],
  };
  return { type, title, modes, schema: schema as unknown as { readonly [key: string]: Json } };
}

interface ObjectSchema {
  readonly properties?: { readonly [key: string]: Json };
  readonly required?: readonly string[];
}
