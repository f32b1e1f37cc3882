import { scheduleOf } from '../../lib/core/sync-mode';
import type { AddCommand } from '../cli';
import { ExitCode } from '../exit-codes';
import { time } from '../output/format';
import { table } from '../output/table';
import { integrationPath, performConnected } from '../perform';
import type { Integration, IntegrationList } from '../wire';

/** `explorerio list`: the stored integrations. */
export const addList: AddCommand = (program, cli) => {
  const command = program
    .command('list')
    .description('list the integrations')
    .addHelpText('after', '\nExamples:\n  explorerio list\n  explorerio list --json');
  performConnected(command, cli, 'state', async ({ printer }, { client }) => {
    const found = await client.request<IntegrationList>('GET', '/api/integrations');
    printer.result(found, () => listText(found.integrations));
    return ExitCode.Ok;
  });
};

function listText(integrations: readonly Integration[]): string {
  if (integrations.length === 0) {
    return 'There is no integration yet. Create one from a file: explorerio sync FILE.json';
  }
  const titles = ['integration', 'type', 'mode', 'schedule', 'enabled', 'updated'];
  return table(
    titles.map((title) => ({ title })),
    integrations.map(({ id, document, updated_at }) => {
      const { mode } = (document.sync_settings ?? {}) as { mode?: string };
      const { type } = (document.sync_strategy ?? {}) as { type?: string };
      return [
        id,
        String(document.type),
        type ?? mode ?? 'full',
        scheduleOf(id, document)?.cron ?? '-',
        document.enabled === false ? 'no' : 'yes',
        time(updated_at),
      ];
    }),
  );
}

interface RemoveOptions {
  readonly dataToo?: true;
}

const REMOVE_EXAMPLES = `
What it stored in the destination is kept unless --data-too is given. A running integration is not removed.

Examples:
  explorerio remove main_database
  explorerio remove main_database --data-too`;

/** `explorerio remove`: removes an integration, and its data when asked. */
export const addRemove: AddCommand = (program, cli) => {
  const command = program
    .command('remove')
    .description('remove an integration; its data is kept unless asked')
    .argument('<name>', 'the integration')
    .option('--data-too', 'also remove its tables, positions and quarantine from the destination')
    .addHelpText('after', REMOVE_EXAMPLES);
  performConnected<RemoveOptions>(command, cli, 'work', async ({ args, options, printer }, { client }) => {
    const name = args[0] ?? '';
    const data = options.dataToo === true;
    await client.request('DELETE', integrationPath(name, `?data=${data}`));
    const text = data ? 'removed, with its data' : 'removed; its data stays in the destination';
    printer.result({ removed: name, data }, () => `${name}: ${text}`);
    return ExitCode.Ok;
  });
};
