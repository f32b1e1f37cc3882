import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { bytes, count } from '../output/format';
import { table } from '../output/table';
import { integrationPath, performConnected } from '../perform';
import { resolveTarget } from '../targets';
import type { StreamList } from '../wire';

interface DiscoverOptions {
  readonly columns?: true;
}
type Stream = StreamList['streams'][number];

const EXAMPLES = `
Examples:
  explorerio discover main_database
  explorerio discover shop.json --columns
  explorerio discover shop.json --json`;

/** `explorerio discover`: asks a source what it offers. */
export const addDiscover: AddCommand = (program, cli) => {
  const command = program
    .command('discover')
    .description('list the streams (tables, topics, ...) that a source offers')
    .argument('<name|file>', 'a stored integration or a JSON document')
    .option('--columns', 'also list the columns')
    .addHelpText('after', EXAMPLES);
  performConnected<DiscoverOptions>(command, cli, 'work', discover);
};

async function discover({ args, options, printer, cli }: Call<DiscoverOptions>, { client }: Connection) {
  const target = await resolveTarget(client, args[0] ?? '');
  const found =
    target.kind === 'stored'
      ? await client.request<StreamList>('GET', integrationPath(target.name, '/streams'), undefined, cli.signal)
      : await client.request<StreamList>('POST', '/api/discover', target.document, cli.signal);
  printer.result(found, () => {
    if (found.streams.length === 0) return 'The source offers nothing that the configuration selects.';
    return options.columns ? columnTable(found.streams) : streamTable(found.streams);
  });
  return ExitCode.Ok;
}

function streamTable(streams: readonly Stream[]): string {
  const columns = [
    { title: 'stream' },
    { title: 'modes' },
    { title: 'key' },
    { title: 'cursors' },
    { title: 'columns', numeric: true },
    { title: 'rows, about', numeric: true },
    { title: 'size, about', numeric: true },
    { title: 'notes' },
  ];
  const rows = streams.map((stream) => [
    stream.schema.stream,
    stream.modes.join(', '),
    stream.schema.key.join(', ') || '-',
    stream.cursors.map(({ column }) => column).join(', ') || '-',
    count(stream.schema.columns.length),
    stream.estimate === undefined ? '-' : count(stream.estimate.rows),
    stream.estimate === undefined ? '-' : bytes(stream.estimate.bytes),
    [...(stream.unreadable === undefined ? [] : [stream.unreadable.message]), ...stream.notes].join('; '),
  ]);
  return table(columns, rows);
}

function columnTable(streams: readonly Stream[]): string {
  const rows = streams.flatMap(({ schema }) =>
    schema.columns.map((column) => [
      schema.stream,
      column.name,
      column.type,
      column.native,
      column.nullable ? 'yes' : 'no',
      schema.key.includes(column.name) ? 'key' : '',
    ]),
  );
  const titles = ['stream', 'column', 'type', 'native type', 'nullable', 'key'];
  return table(
    titles.map((title) => ({ title })),
    rows,
  );
}
