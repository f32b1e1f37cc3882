import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { plain } from '../output/format';
import { table } from '../output/table';
import { integrationPath, performConnected } from '../perform';
import { resolveTargets, type Target } from '../targets';
import type { CheckReport } from '../wire';

const EXAMPLES = `
Nothing is changed or stored. The exit code is 1 when a step fails.

Examples:
  explorerio check main_database
  explorerio check shop.json --json`;

/** `explorerio check`: tests connections step by step. */
export const addCheck: AddCommand = (program, cli) => {
  const command = program
    .command('check')
    .description('test connections step by step: resolve, connect, TLS, authenticate, permissions, read')
    .argument('<name|file|folder...>', 'stored integrations or JSON documents')
    .addHelpText('after', EXAMPLES);
  performConnected(command, cli, 'work', check);
};

async function check({ args, printer, cli }: Call<object>, { client }: Connection): Promise<number> {
  const targets = await resolveTargets(client, args);
  const ask = (target: Target) =>
    target.kind === 'stored'
      ? client.request<CheckReport>('POST', integrationPath(target.name, '/test'), undefined, cli.signal)
      : client.request<CheckReport>('POST', '/api/check', target.document, cli.signal);
  const reports: (CheckReport & { integration: string })[] = [];
  for (const target of targets) reports.push({ integration: target.name, ...(await ask(target)) });
  printer.result({ checks: reports }, () => reports.map(reportText).join('\n\n'));
  return reports.every(({ passed }) => passed) ? ExitCode.Ok : ExitCode.Failed;
}

function reportText(report: CheckReport & { readonly integration: string }): string {
  const rows = report.steps.map((step) => [step.name, step.state, `${Math.round(step.milliseconds)} ms`, step.detail]);
  const hints = report.steps.flatMap(({ name, hint }) =>
    hint === undefined ? [] : [`hint (${name}): ${plain(hint)}`],
  );
  const columns = [{ title: 'step' }, { title: 'result' }, { title: 'took', numeric: true }, { title: 'detail' }];
  const verdict = `${report.integration}: ${report.passed ? 'the connection works' : 'the connection does not work'}`;
  return [verdict, table(columns, rows), ...hints].join('\n');
}
