import type { Channel } from '../../../core/channel';
import { Fault, type FaultRecord, toFault } from '../../../core/fault';
import type { Network } from '../../../core/network';
import type { Clock, Notifier } from '../../../core/ports';
import { type Redactor, Secret } from '../../../core/secret';

/** Where the settings of channels come from. */
export interface ChannelSettings {
  /** The value of a setting such as `SLACK_WEBHOOK_URL`; `undefined` when it is not set. */
  get(name: string): Promise<string | undefined>;
  /** What people call that setting here, such as `EXPLORERIO_SLACK_WEBHOOK_URL`. */
  called(name: string): string;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** What a channel may connect to. */
  readonly network: Network;
}

/** Email by SMTP: `SMTP_URL`, `EMAIL_FROM` and `EMAIL_TO`, addresses with commas between them. */
export function emailChannel(settings: ChannelSettings): Promise<Channel> {
  return channelOf(
    'email',
    ['SMTP_URL', 'EMAIL_FROM', 'EMAIL_TO'],
    settings,
    async ([url = '', from = '', to = '']) => {
      const { redactor, network } = settings;
      redactor.add(url);
      if (URL.canParse(url)) redactor.add(decoded(new URL(url).password));
      // Only who sends mail loads what it takes.
      const { EmailNotifier } = await import('./email');
      return new EmailNotifier({ url: new Secret(url), from, to: to.split(',').map((one) => one.trim()), network });
    },
  );
}

/** An incoming webhook of Slack: `SLACK_WEBHOOK_URL`. */
export function slackChannel(settings: ChannelSettings): Promise<Channel> {
  return channelOf('slack', ['SLACK_WEBHOOK_URL'], settings, async ([url = '']) => {
    settings.redactor.add(url);
    const { SlackNotifier } = await import('./slack');
    return new SlackNotifier({ url: new Secret(url), clock: settings.clock, network: settings.network });
  });
}

/** A signed webhook: `WEBHOOK_URL`, and `WEBHOOK_SECRET`, the signing key. */
export function webhookChannel(settings: ChannelSettings): Promise<Channel> {
  return channelOf('webhook', ['WEBHOOK_URL', 'WEBHOOK_SECRET'], settings, async ([url = '', key = '']) => {
    settings.redactor.add(url);
    settings.redactor.add(key);
    const { WebhookNotifier } = await import('./webhook');
    return new WebhookNotifier({
      url: new Secret(url),
      signingKey: new Secret(key),
      clock: settings.clock,
      network: settings.network,
    });
  });
}

type Values = readonly (string | undefined)[];

async function channelOf(
  name: string,
  needed: readonly string[],
  { get, called }: ChannelSettings,
  make: (values: Values) => Promise<Notifier>,
): Promise<Channel> {
  const doing = `telling by ${name}`;
  try {
    const values = await Promise.all(needed.map(get));
    const absent = needed.filter((_, index) => !values[index]).map(called);
    if (absent.length > 0) return { name, fault: notConfigured(doing, absent, absent.length < needed.length) };
    return { name, notifier: await make(values) };
  } catch (error) {
    const { kind, code, message, hint } = toFault(error, doing);
    const where = `It comes from ${needed.map(called).join(', ')}.`;
    return { name, fault: { kind, code, message, hint: hint === undefined ? where : `${hint} ${where}` } };
  }
}

function notConfigured(doing: string, absent: readonly string[], isPartly: boolean): FaultRecord {
  const missing = isPartly
    ? `${absent.join(' and ')} ${absent.length > 1 ? 'are' : 'is'} missing`
    : 'it is not configured';
  return new Fault('config', 'channel_not_configured', `${doing}: ${missing}`, {
    hint: `Set ${absent.join(', ')}.`,
  }).record();
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // not encoded as a URL demands: it is refused where it is used
  }
}
