import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { bytes, count, duration, percent, rate } from '../output/format';
import { table } from '../output/table';
import { performConnected } from '../perform';
import type { Stats } from '../wire';
import { onlyNamed } from './health';

type One = Stats['integrations'][number];

const EXAMPLES = `
All figures are about the runs that are kept, those of 30 days.

Examples:
  explorerio stats                 all integrations
  explorerio stats main_database   one of them, with its days`;

/** `explorerio stats`: figures over the runs that are kept. */
export const addStats: AddCommand = (program, cli) => {
  const command = program
    .command('stats')
    .description('show figures over the runs that are kept: rows, bytes, speed, errors, times, cost')
    .argument('[name]', 'one integration; without it all')
    .addHelpText('after', EXAMPLES);
  performConnected(command, cli, 'state', stats);
};

async function stats({ args: [name], printer }: Call<unknown>, { client }: Connection): Promise<number> {
  const all = await client.request<Stats>('GET', '/api/integrations/stats');
  const shown = await onlyNamed(all.integrations, name, client);
  printer.result(name === undefined ? all : shown[0], () => {
    if (shown.length === 0) return 'There is no integration yet.';
    return name === undefined ? statsTable(shown) : shown.map(statsText).join('\n');
  });
  return ExitCode.Ok;
}

function statsTable(all: readonly One[]): string {
  const titles = ['integration', 'runs', 'failed', 'rows', 'size', 'quarantined', 'rows/s', 'p50', 'p95', 'cost'];
  return table(
    titles.map((title) => ({ title, numeric: title !== 'integration' })),
    all.map((one) => [
      one.integration,
      count(one.runs.total),
      percent(one.error_rate),
      count(one.rows),
      bytes(one.bytes),
      count(one.quarantined),
      rate(one.rows_per_second),
      duration(one.seconds.p50),
      duration(one.seconds.p95),
      dollars(one.cost_usd),
    ]),
  );
}

function dollars(usd: number): string {
  return `$${rate(usd)}`;
}

function statsText(one: One): string {
  const { runs, seconds } = one;
  const lines = [
    `${one.integration}: ${count(one.rows)} rows, ${bytes(one.bytes)} in ${count(runs.total)} runs`,
    `runs:      ${runs.succeeded} succeeded, ${runs.partial} partial, ${runs.failed} failed, ${runs.cancelled} cancelled`,
    `errors:    ${percent(one.error_rate)} of runs, ${percent(one.record_error_rate)} of records (${count(one.quarantined)} quarantined, ${count(one.skipped)} skipped)`,
    `speed:     ${rate(one.rows_per_second)} rows/s, ${bytes(one.bytes_per_second)}/s`,
    `time:      ${duration(seconds.p50)} (p50), ${duration(seconds.p95)} (p95), ${duration(seconds.max)} at most`,
    `fresh:     ${one.freshness_seconds === undefined ? 'never' : `${duration(one.freshness_seconds)} ago`}`,
    `cost:      ${dollars(one.cost_usd)} as serverless functions`,
  ];
  const days = one.days.filter((day) => day.runs > 0);
  return days.length === 0 ? lines.join('\n') : `${lines.join('\n')}\n\n${daysTable(days)}`;
}

function daysTable(days: One['days']): string {
  const titles = ['day', 'runs', 'failed', 'rows', 'size', 'quarantined'];
  return table(
    titles.map((title) => ({ title, numeric: title !== 'day' })),
    days.map((day) => [
      day.day,
      count(day.runs),
      count(day.failed),
      count(day.rows),
      bytes(day.bytes),
      count(day.quarantined),
    ]),
  );
}
