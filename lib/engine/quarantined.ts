import type { Destination, QuarantinedRecord, QuarantineQuery } from '../core/destination';
import { Fault } from '../core/fault';
import type { IntegrationDocument, IntegrationFields } from '../core/integration';
import type { FieldValues, QuarantineFilter, QuarantineStore } from '../core/quarantine';
import type { EngineContext } from './context';
import { checkDocument } from './document';
import { loadIntegration } from './integrations';
import { openDestination } from './sessions';

/** What stands around an opened quarantine. */
export interface Surroundings {
  readonly integration: string;
  readonly document: IntegrationDocument;
  readonly fields: IntegrationFields;
  readonly destination: Destination;
}

/** Opens the quarantine of an integration for `work`. @throws Fault `config`/`no_quarantine` */
export function withQuarantine<T>(
  context: EngineContext,
  id: string,
  work: (quarantine: QuarantineStore, around: Surroundings) => Promise<T>,
): Promise<T> {
  return withDestination(context, id, (around) => {
    const { quarantine } = around.destination;
    if (quarantine) return work(quarantine, around);
    throw new Fault('config', 'no_quarantine', `opening the quarantine of ${id}: its destination gives no record back`);
  });
}

async function withDestination<T>(
  context: EngineContext,
  id: string,
  work: (around: Surroundings) => Promise<T>,
): Promise<T> {
  const { document } = (await loadIntegration(context, id)).value;
  const { fields } = await checkDocument(document, context.ports.loadConnector);
  const destination = await openDestination(context.ports, fields);
  try {
    return await work({ integration: id, document, fields, destination });
  } finally {
    await destination.close();
  }
}

/** See `Service.quarantined`. */
export function listQuarantined(context: EngineContext, id: string, query: QuarantineQuery) {
  return withDestination(context, id, ({ destination }) => destination.quarantined(query));
}

/** See `Service.quarantinedRecord`. */
export async function quarantinedRecord(
  context: EngineContext,
  id: string,
  record: string,
): Promise<QuarantinedRecord> {
  const [found] = await listQuarantined(context, id, { ids: [record], limit: 1 });
  if (found !== undefined) return found;
  throw new Fault('config', 'not_found', `reading a quarantined record of ${id}: there is no record ${record}`, {
    hint: 'It was loaded or dropped, or a newer version has taken its place under another id: list the quarantine again.',
  });
}

/** See `Service.editQuarantined`. */
export function editQuarantined(context: EngineContext, id: string, record: string, fields: FieldValues) {
  return withQuarantine(context, id, (quarantine) => quarantine.edit(record, fields));
}

/** See `Service.dropQuarantined`. */
export function dropQuarantined(context: EngineContext, id: string, filter: QuarantineFilter): Promise<number> {
  return withQuarantine(context, id, (quarantine) => quarantine.remove(filter));
}
