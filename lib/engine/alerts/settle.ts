import type { EngineContext } from '../context';
import { update } from '../records';
import { type AlertItem, alertKeys, type ChangeItem, HISTORY_MS, type HistoryItem, MOST_CHANGES } from './item';

/** Does what is owed about an alert, and notes that it is done. What is done twice has the same id, and counts once. */
export async function settle(context: EngineContext, item: AlertItem): Promise<void> {
  const { integration, slug, owed } = item;
  if (!owes(item)) return;
  const { state, notify } = context.ports;
  if (owed.changes.length > 0) await addHistory(context, integration, owed.changes);
  for (const { notification, channels } of owed.notices) {
    await notify?.(notification, channels.length > 0 ? channels : undefined);
  }
  await update<AlertItem>(state, alertKeys.state(integration, slug), (current) => current && without(current, item));
}

/** Whether something is still to be done about an alert. */
export function owes({ owed }: AlertItem): boolean {
  return owed.changes.length > 0 || owed.notices.length > 0;
}

/** Whoever else has changed the alert meanwhile may owe more. */
function without(current: AlertItem, { owed }: AlertItem): AlertItem {
  const done = new Set([
    ...owed.changes.map(({ id }) => id),
    ...owed.notices.map(({ notification }) => notification.id),
  ]);
  return {
    ...current,
    owed: {
      changes: current.owed.changes.filter(({ id }) => !done.has(id)),
      notices: current.owed.notices.filter(({ notification }) => !done.has(notification.id)),
    },
  };
}

async function addHistory(
  { ports: { state, clock } }: EngineContext,
  integration: string,
  changes: readonly ChangeItem[],
): Promise<void> {
  const now = clock.now();
  await update<HistoryItem>(
    state,
    alertKeys.history(integration),
    (current) => {
      const kept = (current?.changes ?? []).filter(({ at }) => at > now - HISTORY_MS);
      const known = new Set(kept.map(({ id }) => id));
      const fresh = changes.filter(({ id }) => !known.has(id));
      return fresh.length === 0 ? undefined : { changes: [...kept, ...fresh].slice(-MOST_CHANGES) };
    },
    now + HISTORY_MS,
  );
}
