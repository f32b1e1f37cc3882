import type { Command } from 'commander';
import { Fault } from '../../lib/core/fault';
import type { AddCommand, Call, Cli, Connection } from '../cli';
import { ExitCode } from '../exit-codes';
import { plain, plural } from '../output/format';
import { editText, recordTable, recordText } from '../output/quarantine';
import { pageSize } from '../page-size';
import { integrationPath, performConnected } from '../perform';
import { addFilterOptions, type FilterOptions, filterOf } from '../quarantine-filter';
import type { DroppedRecords, QuarantinedRecord, QuarantineList } from '../wire';
import { addQuarantineReplay } from './quarantine-replay';

interface ListOptions extends FilterOptions {
  readonly limit: number;
  readonly after?: string;
}

interface EditOptions {
  readonly set?: readonly string[];
  readonly null?: readonly string[];
}

const EXAMPLES = `
A record that cannot be loaded is kept as it came, encrypted, with the reasons; nothing is dropped.

Examples:
  explorerio quarantine main_database
  explorerio quarantine main_database --stream orders --rule range --since 2d --json
  explorerio quarantine show main_database 42
  explorerio quarantine edit main_database 42 --set email=ann@example.com
  explorerio quarantine replay main_database --dry-run
  explorerio quarantine replay main_database --reason "not an e-mail"
  explorerio quarantine drop main_database --until 30d`;

/** `explorerio quarantine`: records that could not be loaded, and what becomes of them. */
export const addQuarantine: AddCommand = (program, cli) => {
  const command = program
    .command('quarantine')
    .description('list the records that could not be loaded, newest first, and show, edit, drop or replay them')
    .addHelpText('after', EXAMPLES);
  // As a command of its own, so that none of its options is taken for one of the others.
  const listing = addFilterOptions(
    command
      .command('list', { isDefault: true })
      .description('list records, newest first; the same as without "list"')
      .argument('<name>', 'the integration'),
  )
    .option('--limit <number>', 'how many records', pageSize, 50)
    .option('--after <id>', 'the next page: records older than this one')
    .addHelpText('after', EXAMPLES);
  performConnected<ListOptions>(listing, cli, 'work', list);
  addShow(command, cli);
  addEdit(command, cli);
  addDrop(command, cli);
  addQuarantineReplay(command, cli);
};

async function list({ args, options, printer }: Call<ListOptions>, { client }: Connection) {
  const query = new URLSearchParams(filterOf(options));
  query.set('limit', String(options.limit));
  if (options.after !== undefined) query.set('after', options.after);
  const found = await client.request<QuarantineList>('GET', integrationPath(args[0] ?? '', `/quarantine?${query}`));
  printer.result(found, () => (found.records.length === 0 ? 'Nothing is in quarantine.' : recordTable(found)));
  if (found.next !== undefined) printer.note(`There are more: raise --limit, or go on with --after ${found.next}.`);
  return ExitCode.Ok;
}

function recordPath([name = '', id = '']: readonly string[]): string {
  return integrationPath(name, `/quarantine/${encodeURIComponent(id)}`);
}

function addShow(quarantine: Command, cli: Cli): void {
  const command = quarantine
    .command('show')
    .description('show one record whole: every reason, where it came from, and what was edited')
    .argument('<name>', 'the integration')
    .argument('<id>', 'id of the record, as the list shows it')
    .addHelpText('after', '\nExample:\n  explorerio quarantine show main_database 42 --json');
  performConnected(command, cli, 'work', async ({ args, printer }, { client }) => {
    const found = await client.request<QuarantinedRecord>('GET', recordPath(args));
    printer.result(found, () => recordText(found));
    return ExitCode.Ok;
  });
}

const EDITING = `
Values are those of the source, before any step. The record stays in quarantine until it is replayed, and as old as it
is: what was loaded since then is not overwritten. Of a key only what is missing can be given.

Examples:
  explorerio quarantine edit main_database 42 --set email=ann@example.com --set age=42
  explorerio quarantine edit main_database 42 --null age`;

function addEdit(quarantine: Command, cli: Cli): void {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  const command = quarantine
    .command('edit')
    .description('correct fields of a record')
    .argument('<name>', 'the integration')
    .argument('<id>', 'id of the record, as the list shows it')
    .option('--set <field=value>', 'a field and its new value; may be given several times', collect)
    .option('--null <field>', 'a field to be emptied; may be given several times', collect)
    .addHelpText('after', EDITING);
  performConnected<EditOptions>(command, cli, 'work', async ({ args, options, printer }, { client }) => {
    const found = await client.request<QuarantinedRecord>('PATCH', recordPath(args), { fields: editsOf(options) });
    printer.result(found, () => editText(found));
    return ExitCode.Ok;
  });
}

function editsOf({ set = [], null: emptied = [] }: EditOptions): { readonly [field: string]: string | null } {
  const pairs = set.map((text): [string, string] => {
    const end = text.indexOf('=');
    if (end > 0) return [text.slice(0, end), text.slice(end + 1)];
    throw wrongEdit(`"${plain(text)}" is no field with a value`);
  });
  if (pairs.length + emptied.length === 0) throw wrongEdit('nothing is to be changed');
  return Object.fromEntries([...pairs, ...emptied.map((field) => [field, null] as const)]);
}

function wrongEdit(what: string): Fault {
  return new Fault('config', 'invalid_edit', `editing a quarantined record: ${what}`, {
    hint: 'Give --set field=value, or --null field.',
  });
}

function addDrop(quarantine: Command, cli: Cli): void {
  const command = addFilterOptions(
    quarantine
      .command('drop')
      .description('drop records for ever')
      .argument('<name>', 'the integration')
      .argument('[ids...]', 'ids of records, as the list shows them'),
  )
    .option('--all', 'drop all records of the integration')
    .addHelpText(
      'after',
      '\nExamples:\n  explorerio quarantine drop main_database 42 43\n  explorerio quarantine drop main_database --stream orders --until 30d',
    );
  performConnected<FilterOptions & { readonly all?: true }>(command, cli, 'work', drop);
}

async function drop(
  { args, options, printer }: Call<FilterOptions & { readonly all?: true }>,
  { client }: Connection,
): Promise<number> {
  const [name = '', ...ids] = args;
  const filter = { ...filterOf(options), ...(options.all && { all: 'true' }) };
  let dropped = 0;
  for (const id of ids.length > 0 ? ids : [undefined]) {
    const query = new URLSearchParams({ ...filter, ...(id !== undefined && { id }) });
    dropped += (await client.request<DroppedRecords>('DELETE', integrationPath(name, `/quarantine?${query}`))).dropped;
  }
  printer.result({ dropped }, () => `${plural(dropped, 'record')} dropped.`);
  return ExitCode.Ok;
}
