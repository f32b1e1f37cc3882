import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { count, plain } from '../output/format';
import { faultLines } from '../output/runs';
import { table } from '../output/table';
import { integrationPath, performConnected } from '../perform';
import { resolveTarget } from '../targets';
import type { Plan } from '../wire';

const EXAMPLES = `
Examples:
  explorerio plan main_database
  explorerio plan shop.json --json`;

/** `explorerio plan`: what a sync would do, and why. */
export const addPlan: AddCommand = (program, cli) => {
  const command = program
    .command('plan')
    .description('say what a sync would do with each stream, and why; nothing is changed')
    .argument('<name|file>', 'a stored integration or a JSON document')
    .addHelpText('after', EXAMPLES);
  performConnected(command, cli, 'work', plan);
};

async function plan({ args, printer, cli }: Call<object>, { client }: Connection): Promise<number> {
  const target = await resolveTarget(client, args[0] ?? '');
  const found =
    target.kind === 'stored'
      ? await client.request<Plan>('GET', integrationPath(target.name, '/plan'), undefined, cli.signal)
      : await client.request<Plan>('POST', '/api/plan', target.document, cli.signal);
  printer.result(found, () => planText(found));
  return ExitCode.Ok;
}

function planText({ streams, warnings }: Plan): string {
  const columns = [
    { title: 'stream' },
    { title: 'mode' },
    { title: 'cursor' },
    { title: 'key' },
    { title: 'rows, about', numeric: true },
    { title: 'into schema' },
    { title: 'why' },
  ];
  const rows = streams.map((stream) => [
    stream.stream,
    stream.mode,
    stream.cursor ?? '-',
    stream.key.join(', ') || '-',
    stream.estimated_rows === undefined ? '-' : count(stream.estimated_rows),
    stream.schema,
    stream.reason,
  ]);
  const remarks = [
    ...warnings.map((warning) => `warning: ${plain(warning)}`),
    ...streams.flatMap((stream) => [
      ...stream.warnings.map((warning) => `warning: ${plain(stream.stream)}: ${plain(warning)}`),
      ...faultLines(stream.fault, `${plain(stream.stream)}: `),
    ]),
  ];
  const text = streams.length === 0 ? 'There is nothing to sync.' : table(columns, rows);
  return remarks.length === 0 ? text : `${text}\n\n${remarks.join('\n')}`;
}
