import { readFile, writeFile } from 'node:fs/promises';
import { Fault, messageOf } from '../../lib/core/fault';
import type { StateStore } from '../../lib/core/ports';
import { systemClock } from '../../lib/core/system-clock';
import { exportState, importState } from '../../lib/engine/transfer';
import type { AddCommand, Call } from '../cli';
import { ExitCode } from '../exit-codes';
import { perform } from '../perform';

interface StateOptions {
  readonly table?: string;
}

const ABOUT = `
Positions lie in the destination, beside the rows. What is moved is the rest: documents, and the counters by which the
destination tells an old worker from a new one. Both homes must load into the same destination, and none of the two may
work while the state moves; afterwards only one of them may go on.

Secrets that are written into documents (instead of \${NAME}) are in the file: it is made for its owner alone.

Examples:
  explorerio state export moved.json
  explorerio --stage prod state import moved.json   into a deployed stage, with your AWS credentials`;

/** `explorerio state`: moves what a home knows to another one. */
export const addState: AddCommand = (program, cli) => {
  const state = program.command('state').description('move integrations and their checkpoints to another home');
  const tableOption = ['--table <name>', 'DynamoDB table of a deployed stage, in place of the data folder'] as const;
  const output = state
    .command('export')
    .description('write the state of a home into a file')
    .argument('<file>', 'the file to write')
    .option(...tableOption)
    .addHelpText('after', ABOUT);
  perform<StateOptions>(output, cli, (call) => withState(call, (store) => write(store, call)));
  const input = state
    .command('import')
    .description('take over the state of another home from a file')
    .argument('<file>', 'the file that "state export" wrote')
    .option(...tableOption)
    .addHelpText('after', ABOUT);
  perform<StateOptions>(input, cli, (call) => withState(call, (store) => take(store, call)));
};

async function write(store: StateStore, { args: [file = ''], printer }: Call<StateOptions>): Promise<number> {
  const exported = await exportState(store);
  // "wx": what is there is not overwritten.
  await writeFile(file, `${JSON.stringify(exported, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' }).catch((error) => {
    throw fileFault(`writing ${file}`, error);
  });
  const names = exported.integrations.map(({ integration }) => integration);
  printer.result({ file, integrations: names }, () => `${file}: ${names.length} integrations (${names.join(', ')})`);
  return ExitCode.Ok;
}

async function take(store: StateStore, { args: [file = ''], printer }: Call<StateOptions>): Promise<number> {
  const names = await importState(store, await parsed(file), new Date(systemClock.now()).toISOString());
  printer.result(
    { integrations: names },
    () => `Taken over: ${names.join(', ')}. Their next sync goes on where they stood.`,
  );
  return ExitCode.Ok;
}

async function parsed(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw fileFault(`reading ${file}`, error);
  }
}

function fileFault(doing: string, cause: unknown): Fault {
  return new Fault('config', 'file_error', `${doing}: ${messageOf(cause)}`, {
    cause,
    hint: 'Give the path of a file that can be read, or of one that is not there yet to write to.',
  });
}

/** Opens the state alone. The data folder is taken, so that nobody works on it meanwhile. */
async function withState({ cli, options }: Call<StateOptions>, work: (store: StateStore) => Promise<number>) {
  const table = await tableOf(options);
  if (table !== undefined) return work(await tableState(table));
  const { openLocalHome } = await import('../local-home');
  const home = await openLocalHome(options, cli.env, true);
  try {
    return await work(home.state);
  } finally {
    await home.stop();
  }
}

async function tableOf({ table, stage }: Call<StateOptions>['options']): Promise<string | undefined> {
  if (stage === undefined) return table;
  if (table === undefined) return (await import('../stage')).stageTable(stage);
  throw new Fault('config', 'two_tables', 'opening the state: both --stage and --table are given', {
    hint: 'Leave one of them out: --stage finds the table by itself.',
  });
}

async function tableState(table: string): Promise<StateStore> {
  const [{ DynamoStateStore }, { dynamoClient }] = await Promise.all([
    import('../../lib/adapters/aws/state'),
    import('../../lib/adapters/aws/dynamo-client'),
  ]);
  return new DynamoStateStore({ client: dynamoClient(), table, clock: systemClock });
}
