import * as z from 'zod';
import type { CheckReport } from '../core/check';
import type { Source } from '../core/connector';
import { parseCron } from '../core/cron';
import { toFault } from '../core/fault';
import { type IntegrationDocument, type IntegrationFields, integrationFields } from '../core/integration';
import type { Json } from '../core/json';
import type { Pipeline } from '../core/pipeline';
import { FINAL_STATES, type RunDetails } from '../core/run';
import type { ConnectorInfo, Plan, Service } from '../core/service';
import type { EngineContext } from './context';
import { credentialWarnings, viewCredential, watchCredentials } from './credentials';
import { checkDocument, connectorOfStored } from './document';
import {
  createIntegration,
  listIntegrations,
  loadIntegration,
  removeIntegration,
  updateIntegration,
  viewIntegration,
} from './integrations';
import { lintSchedule } from './lint';
import { unmaskSecrets } from './masking';
import { boundTo, openPipeline } from './open-pipeline';
import { decide, describePlan, type StreamDecision, unknownStreams } from './planning';
import { redactingService } from './redacting';
import { redrive } from './redrive';
import { dropQuarantined, replay } from './replay';
import { cancelRun, loadRun, requestRun } from './runs';
import { forgetSchemas } from './schema-policy';
import { search } from './search';
import { checkSearchFields } from './searchable';
import { openDestination, openSource } from './sessions';
import { healthOf, recentRuns, statsOf, statusOf } from './status';
import { viewRun, viewRunDetails } from './views';
import { checkByVpn, requireVpn, vpnWarnings } from './vpn';

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
    validate: (document) => validate(context, document),
    create: (document) => createIntegration(context, document),
    list: async () => Promise.all((await listIntegrations(context)).map((stored) => viewIntegration(context, stored))),
    get: async (id) => viewIntegration(context, await loadIntegration(context, id)),
    update: (id, document, revision) => updateIntegration(context, id, document, revision),
    remove: (id, options) => removeIntegration(context, id, options),
    check: (target, signal) => check(context, target, signal),
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
    redrive: (query) => redrive(context, query),
    cancel: async (id) => viewRun(await cancelRun(context, id), now()),
    status: async (id) => statusOf(context, id, (await loadIntegration(context, id)).value),
    acceptSchema: async (id, streams) => {
      await loadIntegration(context, id);
      return forgetSchemas(ports.state, id, streams);
    },
    notificationChannels: async () => (await ports.notifications?.channels()) ?? [],
    testNotification: async (channel) => (await ports.notifications?.test(channel)) ?? [],
    health: async () => {
      const all = await listIntegrations(context);
      return Promise.all(all.map((stored) => healthOf(context, stored.key.sort)));
    },
    credentials: async () => (await watchCredentials(context)).map(viewCredential),
    stats: async () => {
      const all = await listIntegrations(context);
      return Promise.all(all.map((stored) => statsOf(context, stored.key.sort)));
    },
    search: (request, signal) => search(context, request, signal),
    replayQuarantined: (id, order, signal) => replay(context, id, order, signal),
    dropQuarantined: (id, filter) => dropQuarantined(context, id, filter),
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

async function validate({ ports }: EngineContext, document: unknown): Promise<readonly string[]> {
  const { fields, warnings } = await checkDocument(document, ports.loadConnector, ports);
  requireVpn(ports, fields);
  return [...warnings, ...vpnWarnings(ports, fields), ...((await ports.notifications?.warnings(fields)) ?? [])];
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

async function plan(context: EngineContext, target: Target, signal: AbortSignal): Promise<Plan> {
  const document = await targetDocument(context, target);
  const { fields, warnings } = await checkDocument(document, context.ports.loadConnector, context.ports);
  const infos = await withSource(context, document, (source) => source.discover(signal));
  const unknown = unknownStreams(infos, fields).map((name) => `streams.${name}: the source has no such stream`);
  const pipeline = await openPipeline(context.ports, document, fields, {});
  const decisions = decide(infos, fields).map((decision) => withSteps(decision, fields, pipeline));
  const schedule = await scheduleWarnings(context, fields);
  const unheard = (await context.ports.notifications?.warnings(fields)) ?? [];
  return describePlan(fields, decisions, [
    ...warnings,
    ...unknown,
    ...schedule,
    ...unheard,
    ...(await credentialWarnings(context, document)),
  ]);
}

/** Whether the last sync took longer than the schedule gives. */
async function scheduleWarnings(context: EngineContext, { name, sync_settings }: IntegrationFields) {
  const { ports } = context;
  if (sync_settings?.schedule === undefined) return [];
  const { schedule, time_zone = 'UTC' } = sync_settings;
  const ticks = parseCron({ integration: name, cron: schedule, timeZone: time_zone });
  const next = ticks.nextRuns(2, new Date(ports.clock.now())).map((tick) => tick.getTime() / 1000);
  const [last] = await recentRuns(context, name, 1);
  const lasted =
    last?.startedAt === undefined ? undefined : ((last.finishedAt ?? ports.clock.now()) - last.startedAt) / 1000;
  const [first, second] = next;
  return lintSchedule(first === undefined || second === undefined ? undefined : second - first, lasted);
}

/** A decision with what the steps say of the stream, or why they do not fit it. */
function withSteps(
  decision: StreamDecision,
  fields: IntegrationFields,
  pipeline: Pipeline | undefined,
): StreamDecision {
  try {
    const bound = pipeline && boundTo({ pipeline }, decision.schema);
    const notes = bound?.notes ?? [];
    if (decision.fault === undefined) checkSearchFields(bound?.output ?? decision.schema, fields);
    return { ...decision, warnings: [...decision.warnings, ...notes] };
  } catch (error) {
    return { ...decision, fault: toFault(error, `planning ${decision.schema.stream}`).record() };
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
