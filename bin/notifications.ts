import { Fault, messageOf } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import type { StateStore } from '../lib/core/ports';
import type { Redactor } from '../lib/core/secret';
import { every, systemClock } from '../lib/core/system-clock';
import type { Engine } from '../lib/engine/engine';
import type { Notifications } from '../lib/engine/notify/notifications';
import { createNotifications } from '../lib/engine/notify/notifications';
import type { NotifyLimits } from '../lib/engine/notify/outbox';
import type { Cleanup } from './cleanup';
import type { Environment } from './cli';
import { environmentChannels } from './notify-channels';

/** What the notifications of an embedded home are made of. */
export interface NotificationParts {
  readonly state: StateStore;
  readonly log: Logger;
  readonly redactor: Redactor;
  readonly env: Environment;
  readonly owner: string;
  readonly limits?: Partial<NotifyLimits>;
}

const LOOK_MS = 3000;
/** Runs that another process has ended, such as a `sync` of the command line, are found as late as this. */
const LOOK_AT_RUNS_MS = 60_000;

/** The dispatcher over the channels that the environment configures. @throws Fault `config`/`invalid_url` */
export function openNotifications({ env, ...parts }: NotificationParts): Notifications {
  return createNotifications({
    ...parts,
    clock: systemClock,
    random: Math.random,
    channels: environmentChannels(env, parts.redactor),
    publicUrl: publicUrlOf(env),
    exclusive: true,
  });
}

function publicUrlOf({ EXPLORERIO_PUBLIC_URL: url }: Environment): string | undefined {
  if (!url) return undefined;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new Fault('config', 'invalid_url', 'reading EXPLORERIO_PUBLIC_URL: it is not the URL of a server', {
    hint: 'Expected something like https://explorer.example.com, or leave it out: notifications then have no links.',
  });
}

/** Tells of runs that have ended, and sends what waits, every few seconds. `hasNews`: asked whether runs have ended. */
export function startNotifications(
  engine: Engine,
  notifications: Notifications,
  { log, cleanup, hasNews }: { readonly log: Logger; readonly cleanup: Cleanup; hasNews(): boolean },
): void {
  const stop = new AbortController();
  let looking: Promise<void> | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const look = async () => {
    const now = systemClock.now();
    if (hasNews() || now - lookedAt >= LOOK_AT_RUNS_MS) {
      lookedAt = now;
      await engine.tellOfRuns();
    }
    await notifications.deliver(stop.signal);
  };
  const stopLooking = every(LOOK_MS, () => {
    looking ??= look()
      .catch((error) => log.error('sending notifications failed', { error: messageOf(error) }))
      .finally(() => {
        looking = undefined;
      });
  });
  cleanup.add('ending the notifications', async () => {
    stop.abort();
    stopLooking();
    await looking;
  });
}
