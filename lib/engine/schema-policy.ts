import { Fault } from '../core/fault';
import type { IntegrationFields, SchemaPolicy } from '../core/integration';
import type { StateStore } from '../core/ports';
import type { StreamSchema } from '../core/schema';
import { wantedMode } from '../core/sync-mode';
import type { EngineContext } from './context';
import { shapeChanges } from './evolve';
import type { StreamDecision } from './planning';
import { json, list } from './records';
import { keys } from './state';

/** Shapes that were accepted, by stream. */
export type AcceptedSchemas = ReadonlyMap<string, StreamSchema>;

/** What of a document says so. */
export type Policies = Pick<IntegrationFields, 'streams' | 'destination' | 'sync_strategy' | 'sync_settings'>;

/** What the document says about changes of a stream's shape. */
export function schemaPolicy(fields: Policies, stream: string): SchemaPolicy {
  return fields.streams?.[stream]?.schema_changes ?? generalPolicy(fields);
}

/** Whether any stream keeps its shape. */
export function keepsShapes(fields: Policies): boolean {
  const own = Object.values(fields.streams ?? {}).map((settings) => settings.schema_changes);
  return [generalPolicy(fields), ...own].includes('quarantine');
}

function generalPolicy(fields: Policies): SchemaPolicy {
  const isKept = fields.sync_strategy?.capture_schema_changes === false && wantedMode(fields) === 'changes';
  return fields.destination?.schema_changes ?? (isKept ? 'quarantine' : 'apply');
}

/** The shapes that were accepted for an integration. */
export async function acceptedSchemas(state: StateStore, integration: string): Promise<AcceptedSchemas> {
  const stored = await list<StreamSchema>(state, keys.schemas(integration));
  return new Map(stored.map(({ value }) => [value.stream, value]));
}

/** A decision in which a changed shape is named, and stopped where the policy says so. */
export function judgeShape(
  decision: StreamDecision,
  fields: IntegrationFields,
  accepted: AcceptedSchemas,
): StreamDecision {
  const { stream } = decision.schema;
  const before = accepted.get(stream);
  const changes = before === undefined ? [] : shapeChanges(before, decision.schema);
  if (changes.length === 0 || decision.fault) return decision;
  const policy = schemaPolicy(fields, stream);
  const keyChanged = before?.key.join('\n') !== decision.schema.key.join('\n');
  if (policy === 'apply' || (policy === 'quarantine' && !keyChanged)) return { ...decision, changes };
  return { ...decision, changes, fault: paused(fields.name, stream, changes).record() };
}

const FORESEEN: { readonly [P in Exclude<SchemaPolicy, 'pause'>]: string } = {
  apply: 'it is followed',
  quarantine: 'the accepted shape is kept, and records that do not fit it go to quarantine',
};

/** A decision with what a sync would make of a changed shape: a warning, or the fault that would stop the stream. */
export function foreseeShape(
  decision: StreamDecision,
  fields: IntegrationFields,
  accepted: AcceptedSchemas,
): StreamDecision {
  const judged = judgeShape(decision, fields, accepted);
  const policy = schemaPolicy(fields, judged.schema.stream);
  if (judged.changes === undefined || judged.fault || policy === 'pause') return judged;
  const warning = `its shape has changed: ${judged.changes.join('; ')}: ${FORESEEN[policy]}`;
  return { ...judged, warnings: [...judged.warnings, warning] };
}

/** Refuses a shape that turns up in the middle of a run where it would have stopped the run's beginning. */
export function refuseNewShape(fields: IntegrationFields, planned: StreamSchema, found: StreamSchema): void {
  if (found === planned || schemaPolicy(fields, planned.stream) !== 'pause') return;
  const changes = shapeChanges(planned, found);
  if (changes.length > 0) throw paused(fields.name, planned.stream, changes);
}

/**
 * Accepts the shapes that streams have now, whatever they were: the next sync notes them. Without names, those of all
 * streams. Gives the streams whose shape was noted before.
 */
export async function forgetSchemas(
  state: StateStore,
  integration: string,
  streams: readonly string[] | undefined,
): Promise<readonly string[]> {
  const accepted = await acceptedSchemas(state, integration);
  const unknown = streams?.find((stream) => !accepted.has(stream));
  if (unknown !== undefined) {
    throw new Fault('config', 'not_found', `accepting the shape of ${unknown}: no shape of it was noted`, {
      hint: `Noted are those of ${[...accepted.keys()].join(', ') || 'no stream, as none was synced yet'}.`,
    });
  }
  const names = streams ?? [...accepted.keys()];
  for (const stream of names) await state.delete(keys.schema(integration, stream));
  return names;
}

function paused(integration: string, stream: string, changes: readonly string[]): Fault {
  return new Fault('config', 'schema_changed', `syncing ${stream}: its shape has changed: ${changes.join('; ')}`, {
    hint: `Look at the change, then accept it with \`explorerio schema accept ${integration} ${stream}\` and sync again; or set schema_changes to "apply" to follow every change.`,
  });
}

/** Notes the shapes that are new, or that the policy follows. For after the streams were added with their changes. */
export async function acceptSchemas(
  context: EngineContext,
  fields: IntegrationFields,
  decisions: readonly StreamDecision[],
  accepted: AcceptedSchemas,
): Promise<void> {
  for (const { schema, changes = [], fault } of decisions) {
    const isKnown = accepted.has(schema.stream);
    const follows = changes.length > 0 && schemaPolicy(fields, schema.stream) === 'apply';
    if (fault || (isKnown && !follows)) continue;
    await context.ports.state.put(keys.schema(fields.name, schema.stream), json(schema), undefined);
  }
}
