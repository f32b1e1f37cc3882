import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { shorten, time } from '../output/format';
import { table } from '../output/table';
import { pageSize } from '../page-size';
import { integrationPath, performConnected } from '../perform';
import type { QuarantineList } from '../wire';

interface QuarantineOptions {
  readonly stream?: string;
  readonly limit: number;
}

const EXAMPLES = `
A record that cannot be loaded is kept as it came, with the reason; nothing is dropped.

Examples:
  explorerio quarantine main_database
  explorerio quarantine main_database --stream orders --json`;

/** `explorerio quarantine`: records that could not be loaded. */
export const addQuarantine: AddCommand = (program, cli) => {
  const command = program
    .command('quarantine')
    .description('list the records that could not be loaded, newest first, each with its reason')
    .argument('<name>', 'the integration')
    .option('--stream <stream>', 'only records of this stream')
    .option('--limit <number>', 'how many records', pageSize, 50)
    .addHelpText('after', EXAMPLES);
  performConnected<QuarantineOptions>(command, cli, 'work', quarantine);
};

async function quarantine({ args, options, printer }: Call<QuarantineOptions>, { client }: Connection) {
  const query = new URLSearchParams({
    limit: String(options.limit),
    ...(options.stream !== undefined && { stream: options.stream }),
  });
  const found = await client.request<QuarantineList>('GET', integrationPath(args[0] ?? '', `/quarantine?${query}`));
  printer.result(found, () => (found.records.length === 0 ? 'Nothing is in quarantine.' : recordTable(found)));
  if (found.next !== undefined) printer.note('There are more: raise --limit.');
  return ExitCode.Ok;
}

const RECORD_WIDTH = 100;

function recordTable({ records }: QuarantineList): string {
  return table(
    ['at', 'stream', 'field', 'reason', 'record'].map((title) => ({ title })),
    records.map((one) => [
      time(one.at),
      one.stream,
      one.field ?? '-',
      one.reason,
      shorten(JSON.stringify(one.record), RECORD_WIDTH),
    ]),
  );
}
