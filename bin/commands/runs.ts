import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { runsTable, runText } from '../output/runs';
import { pageSize } from '../page-size';
import { integrationPath, performConnected } from '../perform';
import type { IntegrationList, Run, RunDetails, RunList } from '../wire';
import { addRedrive } from './redrive';

interface RunsOptions {
  readonly limit: number;
}

/** `explorerio runs`: the history of runs. */
export const addRuns: AddCommand = (program, cli) => {
  const command = program
    .command('runs')
    .description('list runs, newest first')
    .argument('[name]', 'runs of one integration; without it of all')
    .option('--limit <number>', 'how many runs of each integration', pageSize, 20)
    .addHelpText('after', '\nExamples:\n  explorerio runs\n  explorerio runs main_database --limit 100 --json');
  performConnected<RunsOptions>(command, cli, 'state', runs);
  addRedrive(command, cli);
};

async function runs({ args, options, printer }: Call<RunsOptions>, { client }: Connection): Promise<number> {
  const names = args[0] === undefined ? await allNames(client) : [args[0]];
  const found: Run[] = [];
  for (const name of names) {
    const page = await client.request<RunList>('GET', integrationPath(name, `/runs?limit=${options.limit}`));
    found.push(...page.runs);
  }
  found.sort((left, right) => right.created_at.localeCompare(left.created_at));
  printer.result({ runs: found }, () => (found.length === 0 ? 'There is no run yet.' : runsTable(found)));
  return ExitCode.Ok;
}

async function allNames(client: Connection['client']): Promise<string[]> {
  const { integrations } = await client.request<IntegrationList>('GET', '/api/integrations');
  return integrations.map(({ id }) => id);
}

/** `explorerio run`: one run with its streams. */
export const addRun: AddCommand = (program, cli) => {
  const command = program
    .command('run')
    .description('show one run with its streams, changes and faults')
    .argument('<run>', 'id of the run, as "explorerio runs" lists it')
    .addHelpText('after', '\nExample:\n  explorerio run RUN --json');
  performConnected(command, cli, 'state', async ({ args, printer }, { client }) => {
    const found = await client.request<RunDetails>('GET', `/api/runs/${encodeURIComponent(args[0] ?? '')}`);
    printer.result(found, () => `${runText(found)}\n\ncost as functions: $${found.cost.usd} (${found.cost.basis})`);
    return ExitCode.Ok;
  });
};

/** `explorerio cancel`: ends a run after the batches that it is writing. */
export const addCancel: AddCommand = (program, cli) => {
  const command = program
    .command('cancel')
    .description('cancel a run; it ends after the batches that it is writing, what was loaded stays')
    .argument('<run>', 'id of the run, as "explorerio runs" lists it')
    .addHelpText('after', '\nExample:\n  explorerio cancel RUN');
  performConnected(command, cli, 'state', async ({ args, printer }, { client }) => {
    const run = await client.request<Run>('POST', `/api/runs/${encodeURIComponent(args[0] ?? '')}/cancel`);
    printer.result(run, () => `${run.integration}: run ${run.id} is ${cancelText(run)}`);
    return ExitCode.Ok;
  });
};

function cancelText(run: Run): string {
  return run.state === 'running' || run.state === 'queued' ? 'being cancelled' : run.state;
}
