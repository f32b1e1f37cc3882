import type { StateStore } from '../../core/ports';
import { alertKeys } from './item';
import { listMutes } from './mutes';

/** Removes what is stored beside the alerts of an integration; they themselves go at the next look, which tells their end. */
export async function forgetAlerts(state: StateStore, integration: string): Promise<void> {
  await state.delete(alertKeys.history(integration));
  for (const { key, value } of await listMutes(state)) {
    if (value.integration === integration) await state.delete(key);
  }
}
