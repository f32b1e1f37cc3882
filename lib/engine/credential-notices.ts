import { createHash } from 'node:crypto';
import type { Notification } from '../core/notification';
import type { SecretStore } from '../core/ports';
import type { EngineContext } from './context';
import { dueText, type WatchedCredential, watchCredentials } from './credentials';
import { list, read } from './records';
import { keys } from './state';
import { isoTime } from './views';

const WEEK_MS = 7 * 86_400_000;

const HOW: { readonly [store in SecretStore]: (name: string) => string } = {
  encrypted_file: (name) => `Change it at its system, then store the new value: explorerio secrets set ${name}.`,
  environment: (name) =>
    `Change it at its system, then set the new value of ${name}: in a .env file it counts at once, in the environment itself after a restart.`,
  secrets_manager: () => 'Change it at its system and in Secrets Manager, in either order.',
};

/**
 * Tells of credentials that are due: once before, once when they are, and each week from then on. For now and then: what was
 * told is not told again. Forgets what is remembered of credentials that nobody refers to any more.
 */
export async function checkCredentials(context: EngineContext, everyMs: number): Promise<void> {
  const { state, clock } = context.ports;
  const last = (await read<number>(state, keys.credentialsChecked))?.value;
  if (last !== undefined && clock.now() - last < everyMs) return;
  const watched = await watchCredentials(context);
  for (const one of watched) await tell(context, one);
  await forgetOthers(context, watched);
  await state.put(keys.credentialsChecked, clock.now(), undefined);
}

async function tell(context: EngineContext, watched: WatchedCredential): Promise<void> {
  const { state, notify, log, clock } = context.ports;
  const notification = notificationOf(watched, clock.now());
  if (notification === undefined) return;
  const key = keys.toldCredential(told(watched));
  if ((await read<string>(state, key))?.value === notification.id) return;
  log.warn('a credential should be changed', { credential: watched.name, due: watched.dueAt, used_by: watched.usedBy });
  await notify?.(notification);
  // Afterwards: told twice is better than never, and the second has the same id.
  await state.put(key, notification.id, undefined);
}

function told({ id }: WatchedCredential): string {
  return createHash('sha256').update(id).digest('hex');
}

function notificationOf(watched: WatchedCredential, now: number): Notification | undefined {
  const { name, store, usedBy, state, toldFor, changedAt = '', dueAt, dueAtMs = now } = watched;
  if (store === undefined || toldFor === undefined) return undefined;
  if (state !== 'due_soon' && state !== 'overdue') return undefined;
  const stage = state === 'due_soon' ? state : `overdue/${Math.floor((now - dueAtMs) / WEEK_MS)}`;
  return {
    id: `credential/${told(watched).slice(0, 16)}/${changedAt}/${stage}`,
    kind: 'credential',
    severity: state === 'due_soon' ? 'info' : 'warning',
    title: state === 'due_soon' ? `Change ${name} by ${dueAt?.slice(0, 10)}` : `${name} should have been changed`,
    text: `${dueText(watched)}. It is used by ${usedBy.join(', ')}. ${HOW[store](name)}`,
    integration: toldFor,
    at: isoTime(now),
    facts: { credential: name, store, used_by: usedBy, changed_at: changedAt, due_at: dueAt ?? null, stage: state },
  };
}

async function forgetOthers({ ports }: EngineContext, watched: readonly WatchedCredential[]): Promise<void> {
  const kept = new Set([
    ...watched.map(({ name }) => keys.seenCredential(name).sort),
    ...watched.map((one) => keys.toldCredential(told(one)).sort),
  ]);
  for (const prefix of [keys.seenPrefix, keys.toldPrefix]) {
    for (const { key } of await list(ports.state, keys.credentials, { prefix })) {
      if (!kept.has(key.sort)) await ports.state.delete(key);
    }
  }
}
