import type { StateStore } from '../core/ports';
import { read } from './records';
import { type IntegrationItem, keys } from './state';

/**
 * Names what an integration makes in its source to follow changes: another name in each home, so that two that read the same
 * source under one name do not take each other's changes. It stays the same when an integration moves to another home.
 */
export async function followerOf(state: StateStore, integration: string): Promise<string> {
  const stored = await read<IntegrationItem>(state, keys.integration(integration));
  return stored === undefined ? integration : `${integration} of ${stored.value.createdAt}`;
}
