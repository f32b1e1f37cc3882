import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { firingLine } from '../output/alerts';
import { count, duration, plain, plural, time } from '../output/format';
import { faultLines, runText } from '../output/runs';
import { table } from '../output/table';
import { integrationPath, performConnected } from '../perform';
import type { IntegrationList, Status } from '../wire';

const EXAMPLES = `
Examples:
  explorerio status                 all integrations
  explorerio status main_database   one of them, with its streams, progress and last fault`;

/** `explorerio status`: how integrations stand. */
export const addStatus: AddCommand = (program, cli) => {
  const command = program
    .command('status')
    .description('show how integrations stand: state, progress, freshness, next run, last fault')
    .argument('[name]', 'one integration; without it all')
    .addHelpText('after', EXAMPLES);
  performConnected(command, cli, 'state', status);
};

async function status({ args, printer }: Call<object>, { client }: Connection): Promise<number> {
  const [name] = args;
  if (name !== undefined) {
    const one = await client.request<Status>('GET', integrationPath(name, '/status'));
    printer.result(one, () => statusText(one));
    return ExitCode.Ok;
  }
  const { integrations } = await client.request<IntegrationList>('GET', '/api/integrations');
  const all: Status[] = [];
  for (const { id } of integrations) all.push(await client.request<Status>('GET', integrationPath(id, '/status')));
  printer.result({ integrations: all }, () => (all.length === 0 ? 'There is no integration yet.' : statusTable(all)));
  return ExitCode.Ok;
}

function statusTable(all: readonly Status[]): string {
  const titles = ['integration', 'state', 'progress', 'rows of last run', 'fresh', 'next run', 'last fault'];
  return table(
    titles.map((title) => ({ title, numeric: title === 'rows of last run' })),
    all.map((one) => [
      one.integration,
      one.enabled ? one.state : `${one.state} (disabled)`,
      progressText(one) ?? '-',
      one.last_run === undefined ? '-' : count(one.last_run.rows),
      freshText(one),
      time(one.next_run),
      one.last_fault?.code ?? '-',
    ]),
  );
}

function freshText({ freshness }: Status): string {
  return freshness === undefined ? 'never' : `${duration(freshness.seconds)} ago`;
}

function progressText({ progress }: Status): string | undefined {
  if (progress === undefined) return undefined;
  const parts = [plural(progress.rows, 'row')];
  if (progress.fraction !== undefined) parts.push(`${Math.floor(progress.fraction * 100)} %`);
  parts.push(`${count(Math.round(progress.rows_per_second))} rows/s`);
  if (progress.seconds_left !== undefined) parts.push(`${duration(progress.seconds_left)} left`);
  return parts.join(', ');
}

function connectionLines({ connection_status: status, health_check: check }: Status): string[] {
  if (check === undefined) return [];
  const { fault, reason } = check;
  const why = reason ?? (check.state === 'failed' ? fault?.message : undefined);
  return [`connection: ${status}${why === undefined ? '' : ` (${plain(why)})`}`];
}

function statusText(one: Status): string {
  const progress = progressText(one);
  const run = one.running ?? one.last_run;
  const lines = [
    `${one.integration}: ${one.state}${one.enabled ? '' : ' (disabled: no scheduled sync)'}`,
    ...(progress === undefined ? [] : [`progress:  ${progress}`]),
    ...connectionLines(one),
    `fresh:     ${freshText(one)}${one.freshness === undefined ? '' : ` (${time(one.freshness.at)})`}`,
    `next run:  ${one.next_run === undefined ? 'none scheduled' : time(one.next_run)}`,
    ...(one.queued.length === 0 ? [] : [`queued:    ${one.queued.join(', ')}`]),
  ];
  lines.push(...(one.firing_alerts ?? []).map((alert) => `alert:     ${firingLine(alert)}`));
  lines.push(...one.warnings.map((warning) => `warning:   ${plain(warning)}`));
  const parts = [lines.join('\n')];
  if (run !== undefined) parts.push(runText(run));
  const { last_fault: fault } = one;
  if (fault !== undefined && run?.fault?.message !== fault.message) {
    parts.push([`last fault, ${time(fault.at)}:`, ...faultLines(fault)].join('\n'));
  }
  return parts.join('\n\n');
}
