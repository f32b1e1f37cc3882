import { durationMs } from '../core/duration';
import { messageOf } from '../core/fault';
import type { IntegrationFields } from '../core/integration';
import type { PrunedRecords, QuarantineBounds } from '../core/quarantine';
import type { EngineContext } from './context';
import { update } from './records';
import { keys, RUN_RETENTION_MS, type RunItem, type StreamItem } from './state';

const MAX_RECORDS = 100_000;
const MAX_AGE = '90d';

/** How much is kept aside of each stream. */
export function boundsOf({ error_handling: handling }: Pick<IntegrationFields, 'error_handling'>): QuarantineBounds {
  const { max_records: maxRecords = MAX_RECORDS, max_age: maxAge = MAX_AGE } = handling?.quarantine ?? {};
  return { maxRecords, maxAgeMs: durationMs(maxAge) };
}

/**
 * Keeps the quarantine of an integration within its bounds, at the end of a run; what is dropped is said in the log, and in
 * the notes of the streams of the run. A run does not fail by it: the next one tries again.
 */
export async function keepBounds(context: EngineContext, run: RunItem, signal: AbortSignal): Promise<void> {
  const log = context.ports.log.with({ integration: run.integration, run: run.id });
  try {
    await context.sessions.use(run.id, run.document, async ({ destination, fields }) => {
      const bounds = boundsOf(fields);
      for (const pruned of (await destination.quarantine?.prune(bounds, signal)) ?? []) {
        const note = noteOf(pruned, fields);
        if (pruned.cause === 'superseded') log.info(note, { stream: pruned.stream });
        else log.warn(note, { stream: pruned.stream });
        await addNote(context, run, pruned.stream, note);
      }
    });
  } catch (error) {
    log.warn('the quarantine could not be kept within its bounds', { error: messageOf(error) });
  }
}

function noteOf({ cause, records }: PrunedRecords, { error_handling: handling }: IntegrationFields): string {
  const what = records === 1 ? '1 record was' : `${records} records were`;
  const { max_records: maxRecords = MAX_RECORDS, max_age: maxAge = MAX_AGE } = handling?.quarantine ?? {};
  switch (cause) {
    case 'superseded':
      return `${what} removed from quarantine: a later full load has read the stream anew`;
    case 'too_old':
      return `${what} dropped from quarantine for good: older than error_handling.quarantine.max_age (${maxAge})`;
    case 'too_many':
      return `${what} dropped from quarantine for good, the oldest: more than error_handling.quarantine.max_records (${maxRecords})`;
  }
}

/** A stream that is not of this run has its note in the log alone. */
async function addNote(context: EngineContext, run: RunItem, stream: string, note: string): Promise<void> {
  await update<StreamItem>(
    context.ports.state,
    keys.stream(run.id, stream),
    (current) => current && { ...current, notes: [...current.notes, note] },
    run.createdAt + RUN_RETENTION_MS,
  );
}
