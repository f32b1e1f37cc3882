import type { AddCommand, Call, Connection } from '../cli';
import type { Client } from '../client';
import { ExitCode } from '../exit-codes';
import { duration, percent, plain, time } from '../output/format';
import { table } from '../output/table';
import { integrationPath, performConnected } from '../perform';
import type { Health, HealthCheck } from '../wire';

type One = Health['integrations'][number];

const EXAMPLES = `
The exit code is 1 when the status of one of them is failed.

Examples:
  explorerio health                 all integrations
  explorerio health main_database   one of them, with its last connection tests`;

/** `explorerio health`: what runs and connection tests have shown. */
export const addHealth: AddCommand = (program, cli) => {
  const command = program
    .command('health')
    .description('show what the last runs and connection tests say of integrations')
    .argument('[name]', 'one integration; without it all')
    .addHelpText('after', EXAMPLES);
  performConnected(command, cli, 'state', health);
};

async function health({ args: [name], printer }: Call<unknown>, { client }: Connection): Promise<number> {
  const all = await client.request<Health>('GET', '/api/integrations/health');
  const shown = await onlyNamed(all.integrations, name, client);
  printer.result(name === undefined ? all : shown[0], () => {
    if (shown.length === 0) return 'There is no integration yet.';
    return name === undefined ? healthTable(shown) : shown.map(healthText).join('\n');
  });
  for (const { channel, state, last_fault: last, missing } of all.silent_channels) {
    const fault = missing ?? last;
    printer.note(`notifications by ${channel} are ${state}${fault === undefined ? '' : `: ${plain(fault.message)}`}`);
  }
  return shown.some(({ status }) => status === 'failed') ? ExitCode.Failed : ExitCode.Ok;
}

/** Those of a list that are asked for; an unknown name is refused in the words of the API. */
export async function onlyNamed<T extends { readonly integration: string }>(
  all: readonly T[],
  name: string | undefined,
  client: Client,
): Promise<readonly T[]> {
  if (name === undefined) return all;
  const found = all.filter(({ integration }) => integration === name);
  if (found.length === 0) await client.request('GET', integrationPath(name));
  return found;
}

function healthTable(all: readonly One[]): string {
  const titles = ['integration', 'status', 'connection', 'tested', 'failed runs', 'fresh', 'detail'];
  return table(
    titles.map((title) => ({ title, numeric: title === 'failed runs' })),
    all.map((one) => [
      one.integration,
      one.status,
      one.connection_status,
      testedText(one.health_check),
      percent(one.error_rate),
      one.last_sync_age_seconds === undefined ? 'never' : `${duration(one.last_sync_age_seconds)} ago`,
      one.detail,
    ]),
  );
}

function testedText(check: HealthCheck | undefined): string {
  if (check === undefined) return '-';
  if (check.state === 'waiting' || check.state === 'not_probed') return check.state.replace('_', ' ');
  return `${check.state}, ${check.milliseconds ?? 0} ms`;
}

function healthText(one: One): string {
  const { health_check: check } = one;
  const lines = [
    `${one.integration}: ${one.status}`,
    `connection:  ${one.connection_status}`,
    `detail:      ${plain(one.detail)}`,
    `failed runs: ${percent(one.error_rate)}`,
    ...(check === undefined ? ['tests:       none; switch them on with health_checks'] : checkLines(check)),
  ];
  return lines.join('\n');
}

function checkLines(check: HealthCheck): string[] {
  const { reason, at, since, step, fault, next_at: next } = check;
  return [
    `tests:       ${testedText(check)}${reason === undefined ? '' : `: ${plain(reason)}`}`,
    ...(at === undefined ? [] : [`last test:   ${time(at)}, the same outcome since ${time(since)}`]),
    ...(check.consecutive_failures === 0 ? [] : [`in a row:    ${check.consecutive_failures} failed`]),
    ...(step === undefined ? [] : [`failed step: ${plain(step)}`]),
    ...(fault === undefined ? [] : [`fault:       ${plain(fault.message)}`]),
    ...(fault?.hint === undefined ? [] : [`hint:        ${plain(fault.hint)}`]),
    ...(next === undefined ? [] : [`next test:   ${time(next)}`]),
  ];
}
