import { type Command, InvalidArgumentError } from 'commander';
import { parseLengthOfTime } from '../../lib/core/alert/length-of-time';
import { Fault } from '../../lib/core/fault';
import type { AddCommand, Call, Cli, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { alertTable, historyTable, muteTable, muteText } from '../output/alerts';
import { pageSizeUpTo } from '../page-size';
import { integrationPath, performConnected } from '../perform';
import type { Alert, AlertList, IntegrationAlerts, Mute, MuteList } from '../wire';

interface Said {
  readonly by?: string;
  readonly comment?: string;
}

interface MuteOptions extends Said {
  readonly for?: number;
  readonly from?: string;
  readonly until?: string;
  readonly all?: true;
}

const MOST_CHANGES = 100;

const EXAMPLES = `
An alert is named as in the document, or by the word that the list shows.

Examples:
  explorerio alerts                                      how all alerts stand
  explorerio alerts shop
  explorerio alerts history shop                         what happened
  explorerio alerts ack shop data-staleness --comment "the disk is full, I make room"
  explorerio alerts mute shop --for 2h --comment "moving the database"
  explorerio alerts mutes
  explorerio alerts unmute ID`;

/** `explorerio alerts`: what the documents ask to be told about. */
export const addAlerts: AddCommand = (program, cli) => {
  const alerts = program
    .command('alerts')
    .description('show the alerts of integrations; acknowledge and mute them')
    .argument('[name]', 'one integration; without it all')
    .addHelpText('after', EXAMPLES);
  performConnected(alerts, cli, 'state', showAlerts);
  addHistory(alerts, cli);
  addAcknowledge(alerts, cli);
  addMute(alerts, cli);
  addUnmute(alerts, cli);
};

function addHistory(alerts: Command, cli: Cli): void {
  const history = alerts
    .command('history')
    .description('show what happened to the alerts of an integration, newest first')
    .argument('<name>', 'the integration')
    .option('--limit <number>', 'how many changes', pageSizeUpTo(MOST_CHANGES), 50);
  performConnected<{ readonly limit: number }>(history, cli, 'state', showHistory);
}

function addAcknowledge(alerts: Command, cli: Cli): void {
  const acknowledge = alerts
    .command('ack')
    .description('say that you look after an alert: nobody is reminded of it, its end is told')
    .argument('<name>', 'the integration')
    .argument('<alert>', 'the alert')
    .option('--by <who>', 'your name; the user of this machine by default', cli.env.USER)
    .option('--comment <text>', 'what others should know');
  performConnected<Said>(acknowledge, cli, 'state', sendAcknowledgement);
}

function addMute(alerts: Command, cli: Cli): void {
  const mute = alerts
    .command('mute')
    .description('tell nobody for some time; what still rings then is told')
    .argument('[name]', 'the integration')
    .argument('[alert]', 'one alert of it; all by default')
    .option('--for <time>', 'how long: 30m, 2h, 1d', lengthOfTime)
    .option('--from <time>', 'when it begins, as 2026-01-02T03:04:05Z; now by default', moment)
    .option('--until <time>', 'when it ends, in place of --for', moment)
    .option('--all', 'the alerts of all integrations')
    .option('--by <who>', 'your name; the user of this machine by default', cli.env.USER)
    .option('--comment <text>', 'why');
  performConnected<MuteOptions>(mute, cli, 'state', sendMute);
  const mutes = alerts.command('mutes').description('list what is muted');
  performConnected(mutes, cli, 'state', showMutes);
}

function addUnmute(alerts: Command, cli: Cli): void {
  const unmute = alerts
    .command('unmute')
    .description('end a mute')
    .argument('<id>', 'as "explorerio alerts mutes" shows it');
  performConnected(unmute, cli, 'state', async ({ args: [id = ''], printer }, { client }) => {
    await client.request('DELETE', `/api/alerts/mutes/${encodeURIComponent(id)}`);
    printer.result({ ended: id }, () => `${id} has ended.`);
    return ExitCode.Ok;
  });
}

async function showAlerts({ args: [name], printer }: Call<unknown>, { client }: Connection): Promise<number> {
  const path = name === undefined ? '/api/alerts' : integrationPath(name, '/alerts');
  const { alerts } = await client.request<AlertList>('GET', path);
  printer.result({ alerts }, () => (alerts.length === 0 ? 'There are no alerts.' : alertTable(alerts)));
  return ExitCode.Ok;
}

async function showHistory({ args: [name = ''], options, printer }: Call<{ readonly limit: number }>, to: Connection) {
  const path = integrationPath(name, `/alerts?limit=${options.limit}`);
  const { history } = await to.client.request<IntegrationAlerts>('GET', path);
  printer.result({ history }, () => (history.length === 0 ? 'Nothing has happened yet.' : historyTable(history)));
  return ExitCode.Ok;
}

async function sendAcknowledgement({ args, options, printer }: Call<Said>, { client }: Connection) {
  const [name = '', wanted = ''] = args;
  const path = integrationPath(name, `/alerts/${encodeURIComponent(wanted)}/acknowledge`);
  const alert = await client.request<Alert>('POST', path, said(options));
  printer.result(alert, () => `${alert.name} of ${name} is acknowledged: nobody is reminded of it.`);
  return ExitCode.Ok;
}

async function sendMute({ args: [integration, alert], options, printer }: Call<MuteOptions>, { client }: Connection) {
  if ((integration === undefined) !== (options.all === true)) {
    throw usage('name an integration, or all of them with --all');
  }
  const mute = await client.request<Mute>('POST', '/api/alerts/mutes', {
    ...(integration !== undefined && { integration }),
    ...(alert !== undefined && { alert }),
    ...(options.from !== undefined && { from: options.from }),
    until: untilOf(options),
    ...said(options),
  });
  printer.result(mute, () => muteText(mute));
  return ExitCode.Ok;
}

async function showMutes({ printer }: Call<unknown>, { client }: Connection): Promise<number> {
  const { mutes } = await client.request<MuteList>('GET', '/api/alerts/mutes');
  printer.result({ mutes }, () => (mutes.length === 0 ? 'Nothing is muted.' : muteTable(mutes)));
  return ExitCode.Ok;
}

function said({ by, comment }: Said): Said {
  return { ...(by && { by }), ...(comment && { comment }) };
}

function untilOf({ for: seconds, from, until }: MuteOptions): string {
  if ((seconds === undefined) === (until === undefined)) throw usage('say how long, with --for or with --until');
  if (until !== undefined) return until;
  const begin = from === undefined ? Date.now() : Date.parse(from);
  return new Date(begin + (seconds ?? 0) * 1000).toISOString();
}

function usage(message: string): Fault {
  return new Fault('config', 'usage', `muting alerts: ${message}`, { hint: 'See "explorerio help alerts".' });
}

function lengthOfTime(text: string): number {
  const seconds = parseLengthOfTime(text);
  if (seconds !== undefined && seconds > 0) return seconds;
  throw new InvalidArgumentError('Expected a length of time such as 30m, 2h or 1d.');
}

function moment(text: string): string {
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new InvalidArgumentError('Expected a time such as 2026-01-02T03:04:05Z.');
}
