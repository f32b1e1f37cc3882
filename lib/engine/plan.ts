import { parseCron } from '../core/cron';
import { toFault } from '../core/fault';
import type { IntegrationDocument, IntegrationFields } from '../core/integration';
import type { Pipeline } from '../core/pipeline';
import type { Plan } from '../core/service';
import { scheduleOf } from '../core/sync-mode';
import type { EngineContext } from './context';
import { credentialWarnings } from './credentials';
import { checkDocument } from './document';
import { recentRuns } from './kept-runs';
import { lintSchedule } from './lint';
import { boundTo, openPipeline } from './open-pipeline';
import { decide, describePlan, type StreamDecision, unknownStreams } from './planning';
import { acceptedSchemas, foreseeShape } from './schema-policy';
import { checkSearchFields } from './searchable';
import { openSource } from './sessions';
import { vpnWarnings } from './vpn';

/** Runs and ticks of a schedule that are compared. */
const COMPARED = 25;

/** What a sync of the document would do, and what its owner should know before. */
export async function planOf(
  context: EngineContext,
  document: IntegrationDocument,
  signal: AbortSignal,
): Promise<Plan> {
  const { ports } = context;
  const { fields, warnings } = await checkDocument(document, ports.loadConnector, ports);
  const infos = await discover(context, document, signal);
  const pipeline = await openPipeline(ports, document, fields, {});
  const accepted = await acceptedSchemas(ports.state, fields.name);
  const decisions = decide(infos, fields)
    .map((decision) => foreseeShape(decision, fields, accepted))
    .map((decision) => withSteps(decision, fields, pipeline));
  return describePlan(fields, decisions, [
    ...warnings,
    ...unknownStreams(infos, fields).map((name) => `streams.${name}: the source has no such stream`),
    ...vpnWarnings(ports, fields),
    ...(await scheduleWarnings(context, fields)),
    ...((await ports.notifications?.warnings(fields)) ?? []),
    ...(await credentialWarnings(context, document)),
  ]);
}

async function discover(context: EngineContext, document: IntegrationDocument, signal: AbortSignal) {
  const source = await openSource(context.ports, document);
  try {
    return await source.discover(signal);
  } finally {
    await source.close();
  }
}

/** Whether the last sync took longer than the schedule gives. */
export async function scheduleWarnings(
  context: EngineContext,
  { name, ...fields }: IntegrationFields,
): Promise<string[]> {
  const schedule = scheduleOf(name, fields);
  // What follows changes by itself is left out while a sync runs, and goes on right after it.
  if (schedule === undefined || fields.sync_settings?.schedule === undefined) return [];
  const now = context.ports.clock.now();
  const cron = parseCron(schedule);
  const ticks = cron.nextRuns(COMPARED, new Date(now)).map((tick) => tick.getTime() / 1000);
  const gaps = ticks.slice(1).map((tick, index) => tick - (ticks[index] ?? tick));
  const runs = await recentRuns(context, name, COMPARED);
  // A run that failed says nothing of how long a sync takes.
  const last = runs.find(({ state }) => state === 'running' || state === 'succeeded' || state === 'partial');
  const lasted = last?.startedAt === undefined ? undefined : ((last.finishedAt ?? now) - last.startedAt) / 1000;
  return lintSchedule(gaps.length === 0 ? undefined : Math.min(...gaps), lasted);
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
