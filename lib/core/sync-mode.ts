import type { SyncMode } from './connector';
import type { Schedule } from './ports';

/** What of a document, checked or as it is stored, says how and when its streams are read. */
export interface SyncSections {
  readonly sync_settings?: unknown;
  readonly sync_strategy?: unknown;
}

interface Settings {
  readonly mode?: string;
  readonly schedule?: string;
  readonly time_zone?: string;
}

/** Changes wait in the source's log, which grows until they are read. */
const EVERY_MINUTE = '* * * * *';

/** The mode that a document asks for. */
export function wantedMode({ sync_settings, sync_strategy }: SyncSections): SyncMode {
  const { type } = (sync_strategy ?? {}) as { readonly type?: string };
  const wanted = type ?? ((sync_settings ?? {}) as Settings).mode;
  if (wanted === 'cdc' || wanted === 'real_time') return 'changes';
  return wanted === 'incremental' ? 'incremental' : 'full';
}

/** When an integration syncs by itself: as its document says, and where it follows changes, else every minute. */
export function scheduleOf(integration: string, document: SyncSections): Schedule | undefined {
  const { schedule, time_zone: timeZone = 'UTC' } = (document.sync_settings ?? {}) as Settings;
  const cron = schedule ?? (wantedMode(document) === 'changes' ? EVERY_MINUTE : undefined);
  return cron === undefined ? undefined : { integration, cron, timeZone };
}
