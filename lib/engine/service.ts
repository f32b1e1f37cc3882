import * as z from 'zod';
import type { CheckReport } from '../core/check';
import type { Source } from '../core/connector';
import { type IntegrationDocument, integrationFields } from '../core/integration';
import type { Json } from '../core/json';
import { FINAL_STATES, type RunDetails } from '../core/run';
import type { ConnectorInfo, Service } from '../core/service';
import { alertService, firingAlerts } from './alerts/answers';
import type { EngineContext } from './context';
import { viewCredential, watchCredentials } from './credentials';
import { checkDocument, connectorOfStored } from './document';
import { figuresOf } from './figures';
import { healthOfAll } from './health';
import {
  createIntegration,
  listIntegrations,
  loadIntegration,
  removeIntegration,
  updateIntegration,
  viewIntegration,
} from './integrations';
import { recentRuns } from './kept-runs';
import { unmaskSecrets } from './masking';
import { planOf, scheduleWarnings } from './plan';
import { dropQuarantined, editQuarantined, listQuarantined, quarantinedRecord } from './quarantined';
import { redactingService } from './redacting';
import { redrive } from './redrive';
import { replay } from './replay';
import { runService } from './runner';
import { cancelRun, loadRun } from './runs';
import { forgetSchemas } from './schema-policy';
import { search } from './search';
import { openSource } from './sessions';
import { statusOf } from './status';
import { viewRun, viewRunDetails } from './views';
import { checkByVpn, requireVpn, vpnWarnings } from './vpn';
import { webhookService } from './webhooks';

const WAIT_POLL_MS = 500;

/** The service above one engine. */
export function createService(context: EngineContext): Service {
  return redactingService(plainService(context), context.ports);
}

function plainService(context: EngineContext): Service {
  const { ports } = context;
  const now = () => ports.clock.now();
  return {
    connectors: () => Promise.all(ports.connectorTypes.map((type) => describeConnector(context, type))),
    ...runService(context),
    ...webhookService(context),
    validate: (document) => validate(context, document),
    create: (document) => createIntegration(context, document),
    list: async () => Promise.all((await listIntegrations(context)).map((stored) => viewIntegration(context, stored))),
    update: (id, document, revision) => updateIntegration(context, id, document, revision),
    remove: (id, options) => removeIntegration(context, id, options),
    check: (target, signal) => check(context, target, signal),
    discover: (target, signal) => withSource(context, target, (source) => source.discover(signal)),
    plan: async (target, signal) => planOf(context, await targetDocument(context, target), signal),
    wait: (run, signal) => wait(context, run, signal),
    runs: async (id, query) => {
      await loadIntegration(context, id);
      return (await recentRuns(context, id, query.limit, query.after)).map((run) => viewRun(run, now()));
    },
    run: async (id) => viewRunDetails(context, await loadRun(context, id)),
    redrive: (query) => redrive(context, query),
    cancel: async (id) => viewRun(await cancelRun(context, id), now()),
    status: async (id) => {
      const status = await statusOf(context, id, (await loadIntegration(context, id)).value);
      const alerts = await firingAlerts(context, id);
      return { ...status, ...(alerts && { firingAlerts: alerts }) };
    },
    acceptSchema: async (id, streams) => {
      await loadIntegration(context, id);
      return forgetSchemas(ports.state, id, streams);
    },
    ...alertService(context),
    notificationChannels: async () => (await ports.notifications?.channels()) ?? [],
    testNotification: async (channel) => (await ports.notifications?.test(channel)) ?? [],
    health: () => healthOfAll(context),
    credentials: async () => (await watchCredentials(context)).map(viewCredential),
    stats: async () => (await figuresOf(context)).map(({ stats }) => stats),
    figures: () => figuresOf(context),
    search: (request, signal) => search(context, request, signal),
    replayQuarantined: (id, order, signal) => replay(context, id, order, signal),
    dropQuarantined: (id, filter) => dropQuarantined(context, id, filter),
    quarantined: (id, query) => listQuarantined(context, id, query),
    quarantinedRecord: (id, record) => quarantinedRecord(context, id, record),
    editQuarantined: (id, record, fields) => editQuarantined(context, id, record, fields),
  };
}

type Target = string | IntegrationDocument;

async function validate(context: EngineContext, document: unknown): Promise<readonly string[]> {
  const { ports } = context;
  const { fields, warnings } = await checkDocument(document, ports.loadConnector, ports);
  requireVpn(ports, fields);
  const unheard = (await ports.notifications?.warnings(fields)) ?? [];
  return [...warnings, ...vpnWarnings(ports, fields), ...(await scheduleWarnings(context, fields)), ...unheard];
}

async function check(context: EngineContext, target: Target, signal: AbortSignal): Promise<CheckReport> {
  const document = await targetDocument(context, target);
  const { fields } = await checkDocument(document, context.ports.loadConnector);
  return checkByVpn(context.ports, fields, () => withSource(context, document, (source) => source.check(signal)));
}

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
