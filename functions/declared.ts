import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nextTick } from '../lib/adapters/aws/schedule-ticks';
import { Fault, toFault } from '../lib/core/fault';
import type { IntegrationDocument } from '../lib/core/integration';
import { canonicalJson, type Json } from '../lib/core/json';
import type { Logger } from '../lib/core/log';
import type { Alarms, Scheduler } from '../lib/core/ports';
import type { Service } from '../lib/core/service';
import { scheduleOf } from '../lib/core/sync-mode';
import { DECLARED_FILE } from '../lib/infra/env';

/** Documents of the integrations that were declared in files when the stage was deployed, by name. */
export type Declared = ReadonlyMap<string, IntegrationDocument>;

/** Reads what the deployment put beside the function's code; nothing where no integration was declared. */
export function readDeclared(folder = process.env.LAMBDA_TASK_ROOT ?? '.'): Declared {
  const file = join(folder, DECLARED_FILE);
  if (!existsSync(file)) return new Map();
  const documents = JSON.parse(readFileSync(file, 'utf8')) as readonly IntegrationDocument[];
  return new Map(documents.map((document) => [String(document.name), document]));
}

/**
 * Makes the stored integrations what the files say. One that was paused stays paused. Every function with the files does
 * so when it starts, and the health function each time.
 */
export async function storeDeclared(service: Service, declared: Declared): Promise<void> {
  if (declared.size === 0) return;
  const stored = new Map((await service.list()).map((integration) => [integration.id, integration.document]));
  for (const [name, document] of declared) {
    const before = stored.get(name);
    if (before === undefined) await unlessMeanwhile(service.create(document));
    else if (!isSame(before, document))
      await unlessMeanwhile(service.update(name, paused(document, before), undefined));
  }
}

/** Another function of the same deployment stores the same at this moment. */
async function unlessMeanwhile(storing: Promise<unknown>): Promise<void> {
  try {
    await storing;
  } catch (error) {
    if (!(error instanceof Fault) || !['already_exists', 'revision_conflict'].includes(error.code)) throw error;
  }
}

/** Stores them once, at the first call that succeeds; a failure is not one of the request that is being served. */
export function storeOnce(service: Service, declared: Declared, log: Logger): () => Promise<void> {
  let stored: Promise<void> | undefined;
  return () => {
    stored ??= storeDeclared(service, declared).catch((error: unknown) => {
      stored = undefined;
      const fault = toFault(error, 'storing the declared integrations');
      log.warn('declared integrations could not be stored; trying again', { fault: { ...fault.record() } });
    });
    return stored;
  };
}

function paused(document: IntegrationDocument, before: IntegrationDocument): IntegrationDocument {
  const { enabled: _, ...rest } = document;
  return before.enabled === undefined ? rest : { ...rest, enabled: before.enabled };
}

/** Whether two documents differ in nothing but being paused. */
function isSame(left: IntegrationDocument, right: IntegrationDocument): boolean {
  const text = ({ enabled: _, ...rest }: IntegrationDocument) => canonicalJson(rest as Json);
  return text(left) === text(right);
}

/** A service that changes no declared integration, but for pausing it and letting it go on. */
export function keepDeclared(service: Service, declared: Declared): Service {
  if (declared.size === 0) return service;
  return {
    ...service,
    async update(id, document, revision) {
      const own = declared.get(id);
      if (own !== undefined && !isSame(own, document as IntegrationDocument)) throw isDeclared(`updating ${id}`);
      return service.update(id, document, revision);
    },
    async remove(id, options) {
      if (declared.has(id)) throw isDeclared(`removing ${id}`);
      return service.remove(id, options);
    },
  };
}

function isDeclared(doing: string): Fault {
  return new Fault('config', 'declared_in_file', `${doing}: it is declared in a file of the deployment`, {
    hint: 'Change the file in integrations/ and deploy again. Only "enabled" can be changed here, to pause it.',
  });
}

/** Leaves the schedules of declared integrations to the stack that made them. */
export function withoutDeclared(scheduler: Scheduler, declared: Declared): Scheduler {
  return {
    set: async (schedule) => (declared.has(schedule.integration) ? undefined : scheduler.set(schedule)),
    remove: async (integration) => (declared.has(integration) ? undefined : scheduler.remove(integration)),
    list: () => scheduler.list(),
    async next(integration, from) {
      const document = declared.get(integration);
      if (document === undefined) return scheduler.next(integration, from);
      const schedule = scheduleOf(integration, document);
      return schedule && nextTick(schedule, from);
    },
  };
}

/** Leaves the alarms of declared integrations to the stack that made them, and removes what they had before they were declared. */
export function withoutDeclaredAlarms(alarms: Alarms, declared: Declared): Alarms {
  return {
    set: async (document) => (declared.has(String(document.name)) ? undefined : alarms.set(document)),
    remove: async (integration) => (declared.has(integration) ? undefined : alarms.remove(integration)),
    reconcile: (documents) => alarms.reconcile(documents.filter(({ name }) => !declared.has(String(name)))),
  };
}
