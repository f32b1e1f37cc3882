import { InvalidArgumentError } from 'commander';
import type { AddCommand } from '../cli';
import { perform } from '../perform';

/** Options of `explorerio serve`. */
export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly allowHost?: readonly string[];
  readonly sample?: true;
}

const EXAMPLES = `
Without EXPLORERIO_DESTINATION_URL a PostgreSQL server of its own runs in the data folder. Interrupted runs are resumed.
SIGTERM or Ctrl-C stops after the batches that are being written; a second one stops at once. On another address
than a loopback one an API key is needed, in EXPLORERIO_API_KEY or the variable that --api-key-env names.

Examples:
  explorerio serve --sample
  explorerio serve --port 9090 --data /var/lib/explorerio
  EXPLORERIO_API_KEY=... explorerio serve --host 0.0.0.0 --allow-host data.company.com`;

/** `explorerio serve`: the API, the schedules and the workers in one process. */
export const addServe: AddCommand = (program, cli) => {
  const command = program
    .command('serve')
    .description('run the server: API, schedules and syncs, until it is stopped')
    .option('--port <number>', 'port of the API; 0 for any free one', portNumber, 8080)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--allow-host <name...>', 'further host names that the API answers for')
    .option('--sample', 'where there is no integration yet, begin with a sample of real data')
    .addHelpText('after', EXAMPLES);
  perform<ServeOptions>(command, cli, async (call) => (await import('../serve')).serve(call));
};

function portNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('Expected a whole number from 0 to 65535.');
}
