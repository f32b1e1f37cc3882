import { emailChannel, slackChannel, webhookChannel } from '../lib/adapters/embedded/notify/channels';
import type { Channels } from '../lib/core/channel';
import type { Redactor } from '../lib/core/secret';
import { systemClock } from '../lib/core/system-clock';
import { guardedNetwork } from '../lib/network/guard';
import type { Environment } from './cli';

/** The channels that the environment configures. */
export function environmentChannels(env: Environment, redactor: Redactor): Channels {
  const called = (name: string) => `EXPLORERIO_${name}`;
  const network = guardedNetwork(undefined);
  const settings = { get: async (name: string) => env[called(name)], called, clock: systemClock, redactor, network };
  // Read once: the environment of a process stays as it is.
  const all = Promise.all([emailChannel(settings), slackChannel(settings), webhookChannel(settings)]);
  return { list: () => all, aliases: {} };
}
