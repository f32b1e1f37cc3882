import type { Command } from 'commander';
import type { Call, Cli, Connection, GlobalOptions, Work } from './cli';
import { createPrinter } from './output/printer';

/** Makes `work` what `command` does. */
export function perform<O>(command: Command, cli: Cli, work: Work<O>): void {
  command.action(async () => {
    const options = command.optsWithGlobals<O & GlobalOptions>();
    const printer = createPrinter(cli.stdout, cli.stderr, options.json === true);
    cli.exit(await work({ cli, args: command.args, options, printer }));
  });
}

/** Like {@link perform}, with a connection that is closed afterwards, whatever happened. */
export function performConnected<O>(
  command: Command,
  cli: Cli,
  needs: 'state' | 'work',
  work: (call: Call<O>, connection: Connection) => Promise<number>,
): void {
  perform<O>(command, cli, async (call) => {
    const connection = await cli.connect(call.options, needs);
    try {
      return await work(call, connection);
    } finally {
      await connection.close();
    }
  });
}

/** Path of an integration in the API, and of what belongs to it. */
export function integrationPath(name: string, rest = ''): string {
  return `/api/integrations/${encodeURIComponent(name)}${rest}`;
}
