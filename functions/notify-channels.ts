import { SNSClient } from '@aws-sdk/client-sns';
import { SnsNotifier } from '../lib/adapters/aws/notifier';
import { slackChannel, webhookChannel } from '../lib/adapters/embedded/notify/channels';
import type { Channel, Channels } from '../lib/core/channel';
import type { Secrets } from '../lib/core/ports';
import type { Redactor } from '../lib/core/secret';
import { systemClock } from '../lib/core/system-clock';
import type { FunctionEnvironment } from '../lib/infra/env';
import { guardedNetwork } from '../lib/network/guard';

const REMEMBERED_MS = 5 * 60_000;

/** The topic of the stage, and what the secrets of the stage configure; `email` is a subscription of the topic. */
export function cloudChannels(environment: FunctionEnvironment, secrets: Secrets, redactor: Redactor): Channels {
  const { EXPLORERIO_ALERT_TOPIC: topicArn, EXPLORERIO_SECRETS_PREFIX: prefix } = environment;
  const settings = {
    get: async (name: string) => (await secrets.get(name))?.reveal(),
    called: (name: string) => `the secret ${prefix}${name}`,
    clock: systemClock,
    redactor,
    network: guardedNetwork(undefined),
  };
  const sns = topicArn === undefined ? [] : [topicChannel(topicArn)];
  const read = async () => [...sns, ...(await Promise.all([slackChannel(settings), webhookChannel(settings)]))];
  let known: { readonly list: Promise<readonly Channel[]>; readonly until: number } | undefined;
  return {
    aliases: { email: 'sns' },
    list() {
      if (known === undefined || systemClock.now() >= known.until) {
        known = { list: read(), until: systemClock.now() + REMEMBERED_MS };
      }
      return known.list;
    },
  };
}

function topicChannel(topicArn: string): Channel {
  return { name: 'sns', notifier: new SnsNotifier({ client: new SNSClient({}), topicArn }) };
}
