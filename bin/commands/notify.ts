import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { table } from '../output/table';
import { performConnected } from '../perform';
import type { ChannelList, TestOutcomes } from '../wire';

const EXAMPLES = `
Channels are configured by variables of the environment, see docs/notifications.md.

Examples:
  explorerio notify test            a test message on every channel that is configured
  explorerio notify test email
  explorerio notify channels        how they stand, and what is missing`;

const NONE =
  'No channel is configured. Set EXPLORERIO_SMTP_URL, EXPLORERIO_SLACK_WEBHOOK_URL or EXPLORERIO_WEBHOOK_URL where ExplorerIO runs; docs/notifications.md tells how.';

/** `explorerio notify`: the channels on which people are told. */
export const addNotify: AddCommand = (program, cli) => {
  const notify = program.command('notify').description('channels on which you are told what happened');
  const test = notify
    .command('test')
    .description('send a test message')
    .argument('[channel]', 'email, slack, webhook or sns; all that are configured by default')
    .addHelpText('after', EXAMPLES);
  performConnected(test, cli, 'state', sendTest);
  const channels = notify.command('channels').description('how the channels stand').addHelpText('after', EXAMPLES);
  performConnected(channels, cli, 'state', showChannels);
};

async function sendTest({ args: [channel], printer }: Call<unknown>, { client }: Connection): Promise<number> {
  const body = channel === undefined ? {} : { channel };
  const result = await client.request<TestOutcomes>('POST', '/api/notifications/test', body);
  printer.result(result, () => outcomeText(result.outcomes));
  const sent = result.outcomes.filter((outcome) => outcome.sent).length;
  if (sent === 0) return result.outcomes.length === 0 ? ExitCode.Usage : ExitCode.Failed;
  return sent === result.outcomes.length ? ExitCode.Ok : ExitCode.Partial;
}

function outcomeText(outcomes: TestOutcomes['outcomes']): string {
  if (outcomes.length === 0) return NONE;
  return outcomes
    .map(({ channel, sent, fault }) => (sent ? `${channel}: sent` : `${channel}: not sent: ${faultLine(fault)}`))
    .join('\n');
}

async function showChannels({ printer }: Call<unknown>, { client }: Connection): Promise<number> {
  const result = await client.request<ChannelList>('GET', '/api/notifications/channels');
  printer.result(result, () => channelText(result.channels));
  return ExitCode.Ok;
}

function channelText(channels: ChannelList['channels']): string {
  const columns = [
    { title: 'channel' },
    { title: 'state' },
    { title: 'waiting', numeric: true },
    { title: 'sent', numeric: true },
    { title: 'given up', numeric: true },
    { title: 'last success' },
    { title: 'used by' },
  ];
  const rows = channels.map((one) => [
    one.channel,
    one.state,
    String(one.waiting),
    String(one.sent),
    String(one.given_up),
    one.last_success ?? '',
    one.used_by.join(', '),
  ]);
  const notes = channels.flatMap(({ channel, state, missing, last_fault: fault }) => {
    const shown = missing ?? (state === 'failing' ? fault : undefined);
    return shown === undefined ? [] : [`${channel}: ${faultLine(shown)}`];
  });
  return [table(columns, rows), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

function faultLine(fault: { readonly message: string; readonly hint?: string | undefined } | undefined): string {
  if (fault === undefined) return 'it is not known why';
  return fault.hint === undefined ? fault.message : `${fault.message}. ${fault.hint}`;
}
