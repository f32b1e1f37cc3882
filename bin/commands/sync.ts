import { Option } from 'commander';
import { Fault } from '../../lib/core/fault';
import type { AddCommand, Call, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { followRuns } from '../follow';
import { createProgress } from '../output/progress';
import { runLine, runText } from '../output/runs';
import { integrationPath, performConnected } from '../perform';
import { resolveTargets, storeDocument, type Target } from '../targets';
import type { Run, RunDetails } from '../wire';

interface SyncOptions {
  readonly full?: true;
  readonly incremental?: true;
  readonly queue?: true;
  readonly wait: boolean;
}

const EXAMPLES = `
A file (or each *.json of a folder) is an integration: it is created, or updated when it differs, and then synced. All
files are checked before any is used.

Examples:
  explorerio sync main_database              what is new, as the integration says
  explorerio sync main_database --full       everything, anew; readers see the old rows until it is complete
  explorerio sync shop.json                  create or update the integration of that file, and sync it
  explorerio sync integrations/              all files of a folder
  explorerio sync main_database --json       the runs as JSON, for programs`;

/** `explorerio sync`: creates or updates integrations from files, starts syncs and waits for them. */
export const addSync: AddCommand = (program, cli) => {
  const command = program
    .command('sync')
    .description('sync integrations, by name or from files, and wait until they are done')
    .argument('<name|file|folder...>', 'integrations: stored ones by name, or JSON documents')
    .addOption(new Option('--full', 'read everything anew').conflicts('incremental'))
    .addOption(new Option('--incremental', 'read what is new').conflicts('full'))
    .option('--queue', 'while a run of the integration is going on, wait for it instead of refusing')
    .option('--no-wait', 'start the runs in the running server and do not wait for them')
    .addHelpText('after', EXAMPLES);
  performConnected<SyncOptions>(command, cli, 'work', sync);
};

async function sync(call: Call<SyncOptions>, connection: Connection): Promise<number> {
  const { cli, args, options, printer } = call;
  if (!options.wait && connection.server === undefined) throw noServer();
  const targets = await resolveTargets(connection.client, args);
  await storeAll(call, connection, targets);
  const started: Run[] = [];
  for (const { name } of targets) started.push(await start(call, connection, name));
  if (!options.wait) {
    printer.result({ runs: started }, () => started.map((run) => runLine(run)).join('\n'));
    return ExitCode.Ok;
  }
  const progress = createProgress(cli.stderr, printer.json);
  const ids = started.map(({ id }) => id);
  const runs = await followRuns(connection.client, ids, progress, cli.signal);
  if (runs.length > 0) printer.result({ runs }, () => runs.map(runText).join('\n\n'));
  if (cli.signal.aborted) printer.note(interruptedNote(connection));
  return cli.signal.aborted ? ExitCode.Interrupted : worstOf(runs);
}

function noServer(): Fault {
  return new Fault(
    'config',
    'no_server',
    'starting a sync without waiting for it: no server works on the data folder',
    {
      hint: 'Leave --no-wait out, or start the server with "explorerio serve".',
    },
  );
}

async function storeAll({ printer }: Call<SyncOptions>, { client }: Connection, targets: readonly Target[]) {
  for (const target of targets) {
    if (target.kind === 'stored') continue;
    printer.note(`${target.name}: ${await storeDocument(client, target.name, target.document)}`);
  }
}

async function start(
  { options, printer }: Call<SyncOptions>,
  { client, server }: Connection,
  name: string,
): Promise<Run> {
  const type = options.full ? 'full' : options.incremental ? 'incremental' : undefined;
  // Without a server a run that is going on is one that was interrupted: it is resumed here, and followed.
  const whenRunning = options.queue || (server === undefined && type !== undefined) ? 'queue' : 'refuse';
  const body = { ...(type && { type }), async: true, when_running: whenRunning };
  try {
    return await client.request<Run>('POST', integrationPath(name, '/sync'), body);
  } catch (error) {
    const active = error instanceof Fault && error.code === 'run_active' ? error.run : undefined;
    if (active === undefined || server !== undefined) throw error;
    printer.note(`${name}: resuming run ${active}, which was interrupted`);
    return client.request<Run>('GET', `/api/runs/${encodeURIComponent(active)}`);
  }
}

function interruptedNote({ server }: Connection): string {
  return server === undefined
    ? 'Interrupted. What was loaded is kept; the next sync, or the server, goes on from there.'
    : 'The server goes on with it: see "explorerio status", or end it with "explorerio cancel RUN".';
}

function worstOf(runs: readonly RunDetails[]): number {
  if (runs.every(({ state }) => state === 'succeeded')) return ExitCode.Ok;
  return runs.some(({ state }) => state === 'failed' || state === 'cancelled') ? ExitCode.Failed : ExitCode.Partial;
}
