import type { AddCommand } from '../cli';
import { ExitCode } from '../exit-codes';
import { integrationPath, performConnected } from '../perform';

/** `explorerio schema accept`: goes on with the shape that streams have now. */
export const addSchema: AddCommand = (program, cli) => {
  const schema = program.command('schema').description('shapes of streams that have changed');
  const accept = schema
    .command('accept')
    .description('accept the shape that streams have now; the next sync goes on with it')
    .argument('<name>', 'the integration')
    .argument('[streams...]', 'the streams; all of them by default')
    .addHelpText(
      'after',
      '\nExamples:\n  explorerio schema accept main_database\n  explorerio schema accept main_database public.orders',
    );
  performConnected(accept, cli, 'state', async ({ args, printer }, { client }) => {
    const [name = '', ...streams] = args;
    const body = streams.length === 0 ? {} : { streams };
    const path = integrationPath(name, '/schema/accept');
    const result = await client.request<{ readonly streams: readonly string[] }>('POST', path, body);
    printer.result(result, () =>
      result.streams.length === 0
        ? `${name}: no shape was noted yet; the first sync accepts what it finds`
        : `${name}: accepted ${result.streams.join(', ')}; sync again`,
    );
    return ExitCode.Ok;
  });
};
