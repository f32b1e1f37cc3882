import { Fault } from '../core/fault';
import type { IntegrationDocument } from '../core/integration';
import type { Integration } from '../core/service';
import { scheduleOf, wantedMode } from '../core/sync-mode';
import { forgetAlerts } from './alerts/forget';
import type { EngineContext } from './context';
import { checkDocument, connectorOfStored } from './document';
import { forgetFeed } from './forget-feed';
import { maskSecrets, unmaskSecrets } from './masking';
import { notifyKeys } from './notify/outbox';
import { json, list, read, type Stored, update } from './records';
import { promote } from './runs';
import { openDestination } from './sessions';
import { type IntegrationItem, keys, REMOVING } from './state';
import { isoTime } from './views';
import { requireVpn, vpnWarnings } from './vpn';

/** Reads a stored integration. @throws Fault `config`/`not_found` */
export async function loadIntegration(context: EngineContext, id: string): Promise<Stored<IntegrationItem>> {
  const stored = await read<IntegrationItem>(context.ports.state, keys.integration(id));
  if (stored === undefined) {
    throw new Fault('config', 'not_found', `reading integration ${id}: there is no integration of this name`, {
      hint: 'List the integrations to see their names, or create it first.',
    });
  }
  return stored;
}

/** All stored integrations in the order of their names. */
export function listIntegrations(context: EngineContext): Promise<Stored<IntegrationItem>[]> {
  return list<IntegrationItem>(context.ports.state, keys.integrations);
}

/** Stores a new integration and its schedule. */
export async function createIntegration(context: EngineContext, input: unknown): Promise<Integration> {
  const { state, clock } = context.ports;
  const { document, fields } = await checkDocument(input, context.ports.loadConnector, context.ports);
  requireVpn(context.ports, fields);
  const id = String(document.name);
  const now = isoTime(clock.now());
  const item: IntegrationItem = { document, createdAt: now, updatedAt: now };
  const revision = await state.put(keys.integration(id), json(item), 'absent');
  if (revision === undefined) {
    throw new Fault('config', 'already_exists', `creating ${id}: an integration of this name exists`, {
      hint: 'Choose another name, or update the existing one.',
      issues: [{ path: 'name', message: 'is taken' }],
    });
  }
  await applyDocument(context, document);
  return viewIntegration(context, { key: keys.integration(id), value: item, revision });
}

/** Replaces a stored document. */
export async function updateIntegration(
  context: EngineContext,
  id: string,
  input: unknown,
  revision: number | undefined,
): Promise<Integration> {
  const stored = await loadIntegration(context, id);
  if (revision !== undefined && revision !== stored.revision) throw revisionConflict(id);
  const connector = await connectorOfStored(stored.value.document, context.ports.loadConnector);
  const unmasked = unmaskSecrets(json(input ?? null), stored.value.document, connector);
  const { document, fields } = await checkDocument(unmasked, context.ports.loadConnector, context.ports);
  requireVpn(context.ports, fields);
  refuseRenaming(id, document);
  const item: IntegrationItem = { ...stored.value, document, updatedAt: isoTime(context.ports.clock.now()) };
  const written = await context.ports.state.put(keys.integration(id), json(item), stored.revision);
  if (written === undefined) throw revisionConflict(id);
  await applyDocument(context, document);
  if (wantedMode(document) !== 'changes') await forgetFeed(context, stored.value.document);
  return viewIntegration(context, { key: stored.key, value: item, revision: written });
}

function refuseRenaming(id: string, document: IntegrationDocument): void {
  if (document.name === id) return;
  throw new Fault('config', 'invalid_config', `updating ${id}: the name cannot be changed`, {
    hint: 'Create an integration of the new name and delete this one.',
    issues: [{ path: 'name', message: `must stay "${id}"` }],
  });
}

/** Removes an integration, and with `data` all that it stored in the destination. */
export async function removeIntegration(
  context: EngineContext,
  id: string,
  options: { readonly revision?: number; readonly data: boolean },
): Promise<void> {
  const { state } = context.ports;
  const stored = await loadIntegration(context, id);
  if (options.revision !== undefined && options.revision !== stored.revision) throw revisionConflict(id);
  // Taking the place of a run keeps every other one away until all is gone.
  const { value: active } = await update<string>(state, keys.active(id), (current) =>
    current === undefined ? REMOVING : undefined,
  );
  if (active !== undefined && active !== REMOVING) {
    throw new Fault('config', 'run_active', `deleting ${id}: run ${active} is going on`, {
      hint: `Cancel ${active} or wait for its end.`,
      run: active,
    });
  }
  try {
    await removeAll(context, stored, options.data);
  } finally {
    await state.delete(keys.active(id));
    // What was asked for in the meantime waits, unless it was removed too.
    await promote(context, id);
  }
}

async function removeAll(context: EngineContext, stored: Stored<IntegrationItem>, data: boolean): Promise<void> {
  const { state, scheduler, alarms } = context.ports;
  const id = stored.key.sort;
  await forgetFeed(context, stored.value.document);
  if (data) await dropData(context, stored.value.document);
  if (!(await state.delete(keys.integration(id), stored.revision))) throw revisionConflict(id);
  await scheduler.remove(id);
  await alarms?.remove(id);
  await state.delete(notifyKeys.row(id));
  if (context.ports.evaluator) await forgetAlerts(state, id);
  await state.delete(keys.probe(id));
  for (const partition of [keys.runs(id), keys.queuedRuns(id), keys.loads(id), keys.fences(id), keys.schemas(id)]) {
    for (const item of await state.query(partition)) await state.delete(item);
  }
}

async function dropData(context: EngineContext, document: IntegrationDocument): Promise<void> {
  const { fields } = await checkDocument(document, context.ports.loadConnector);
  const destination = await openDestination(context.ports, fields);
  try {
    await destination.drop();
  } finally {
    await destination.close();
  }
}

/** The integration as it may be shown: without the secrets that were written into it. */
export async function viewIntegration(context: EngineContext, stored: Stored<IntegrationItem>): Promise<Integration> {
  const { document, createdAt, updatedAt } = stored.value;
  const base = { id: stored.key.sort, revision: stored.revision, createdAt, updatedAt };
  try {
    const { loadConnector, alarms, evaluator, notifications, credentialStores, healthChecks } = context.ports;
    // Its steps were checked when it was stored; a list must not compile them all again.
    const { connector, fields, warnings } = await checkDocument(document, loadConnector, {
      alarms,
      evaluator,
      notifications,
      ...(credentialStores && { credentialStores }),
      ...(healthChecks && { healthChecks }),
    });
    const unheard = (await notifications?.warnings(fields)) ?? [];
    const all = [...warnings, ...vpnWarnings(context.ports, fields), ...unheard];
    return { ...base, document: maskSecrets(document, connector), warnings: all };
  } catch (error) {
    // Stored by another version: it must still be listed, read and corrected.
    if (!(error instanceof Fault) || error.kind !== 'config') throw error;
    return { ...base, document: maskSecrets(document, undefined), warnings: [error.message] };
  }
}

async function applyDocument(context: EngineContext, document: IntegrationDocument): Promise<void> {
  await applySchedule(context, document);
  await context.ports.alarms?.set(document);
}

/** Makes the schedule what the document says. */
export async function applySchedule(context: EngineContext, document: IntegrationDocument): Promise<void> {
  const { scheduler } = context.ports;
  const integration = String(document.name);
  const schedule = document.enabled === false ? undefined : scheduleOf(integration, document);
  await (schedule ? scheduler.set(schedule) : scheduler.remove(integration));
}

function revisionConflict(id: string): Fault {
  return new Fault('config', 'revision_conflict', `changing ${id}: it was changed by somebody else in the meantime`, {
    hint: 'Read it again, apply your change to what is there now, and send it with the new revision.',
  });
}
