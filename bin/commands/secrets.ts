import { dirname, resolve } from 'node:path';
import { createDataFolder } from '../../lib/adapters/embedded/data-folder';
import type { CredentialAge, EncryptedFile } from '../../lib/adapters/embedded/encrypted-file';
import { Fault, toFault } from '../../lib/core/fault';
import { Redactor } from '../../lib/core/secret';
import { systemClock } from '../../lib/core/system-clock';
import type { AddCommand, Call } from '../cli';
import { openCredentialsFile } from '../credentials-home';
import { ExitCode, exitCodeOf } from '../exit-codes';
import { duration, plain, plural } from '../output/format';
import { faultText } from '../output/printer';
import { table } from '../output/table';
import { perform } from '../perform';
import { readSecretInput, type SecretInput } from '../secret-input';
import type { CredentialList } from '../wire';

interface FileOptions {
  readonly file?: string;
  readonly keyEnv?: string;
}

const ABOUT = `
The file is that of the data folder (credentials.enc), or what EXPLORERIO_CREDENTIALS_FILE or --file names. Its key is in the
variable EXPLORERIO_ENCRYPTION_KEY, or the one that --key-env names: 32 random bytes or a passphrase. A server that runs
takes up what is changed by itself. Values are never shown.

Examples:
  echo "EXPLORERIO_ENCRYPTION_KEY=$(openssl rand -base64 32)" >> .env
  explorerio secrets set DB_PASSWORD                         asks for the value
  explorerio secrets set DB_PASSWORD --from-env PGPASSWORD
  pass show shop/db | explorerio secrets set DB_PASSWORD --stdin
  explorerio secrets list
  explorerio secrets rotate-key --from-env NEW_KEY
  explorerio secrets set API_TOKEN --file /secure/credentials.enc --key-env ENCRYPTION_KEY`;

/** `explorerio secrets`: the encrypted file of credentials. */
export const addSecrets: AddCommand = (program, cli) => {
  const secrets = program.command('secrets').description('keep credentials in an encrypted file');
  const command = (name: string, description: string) =>
    secrets
      .command(name)
      .description(description)
      .option('--file <path>', 'another file of credentials')
      .option('--key-env <name>', 'environment variable that holds the key of the file')
      .addHelpText('after', ABOUT);
  const reading = (name: string, description: string, what: string) =>
    command(name, description)
      .option('--from-env <name>', `take ${what} from this environment variable`)
      .option('--stdin', `read ${what} from standard input`);
  const set = reading('set', 'store a credential', 'the value').argument('<name>', 'as in ${NAME}');
  perform<FileOptions & SecretInput>(set, cli, store);
  perform<FileOptions>(command('list', 'list credentials: where they are, how old, who uses them'), cli, list);
  const remove = command('remove', 'remove a credential from the file').argument('<name>', 'the credential');
  perform<FileOptions>(remove, cli, removeOne);
  perform<FileOptions & SecretInput>(
    reading('rotate-key', 'encrypt the file anew under another key', 'the new key'),
    cli,
    rotate,
  );
  perform<FileOptions>(command('path', 'print the path of the file'), cli, async (call) => {
    const { path } = fileOf(call);
    call.printer.result({ path }, () => path);
    return ExitCode.Ok;
  });
};

function fileOf({ cli, options, printer }: Call<FileOptions>): EncryptedFile {
  const { data, file, keyEnv, stage, url } = options;
  if (stage !== undefined || url !== undefined) {
    throw new Fault('config', 'local_only', 'opening the file of credentials: it is on the machine of the server', {
      hint: 'Run the command there, without --url. A stage in AWS keeps credentials in Secrets Manager.',
    });
  }
  const warn = (message: string) => printer.note(`warning: ${message}`);
  return openCredentialsFile(
    { dataFolder: data, env: cli.env, redactor: new Redactor(), warn },
    { file, keyName: keyEnv },
  );
}

async function store(call: Call<FileOptions & SecretInput>): Promise<number> {
  const { cli, args, options, printer } = call;
  const [name = ''] = args;
  const file = fileOf(call);
  if (dirname(file.path) === resolve(options.data)) createDataFolder(resolve(options.data));
  const value = await readSecretInput(cli, options, `Value of ${name}`);
  const outcome = await file.set(name, value);
  printer.result({ name, outcome, file: file.path }, () => `${name}: ${outcome} in ${file.path}`);
  return ExitCode.Ok;
}

async function removeOne(call: Call<FileOptions>): Promise<number> {
  const [name = ''] = call.args;
  const file = fileOf(call);
  if (!(await file.remove(name))) {
    throw new Fault('config', 'not_found', `removing the credential ${name}: ${file.path} has none of that name`, {
      hint: 'List them with "explorerio secrets list".',
    });
  }
  call.printer.result({ name, outcome: 'removed', file: file.path }, () => `${name}: removed from ${file.path}`);
  return ExitCode.Ok;
}

async function rotate(call: Call<FileOptions & SecretInput>): Promise<number> {
  const file = fileOf(call);
  const key = await readSecretInput(call.cli, call.options, 'New encryption key');
  const credentials = await file.rotateKey(key);
  call.printer.result({ file: file.path, credentials }, () => {
    const counted = plural(credentials, 'credential');
    return `${file.path}: ${counted} under the new key. Put it where the old one was set; a server reads .env anew by itself.`;
  });
  return ExitCode.Ok;
}

type Listed = CredentialList['credentials'][number];

async function list(call: Call<FileOptions>): Promise<number> {
  const { cli, options, printer } = call;
  const connection = await cli.connect(options, 'state');
  try {
    const { credentials } = await connection.client.request<CredentialList>('GET', '/api/credentials');
    const { entries, fault } = await unused(call, credentials);
    const all = [...credentials, ...entries];
    const nothing = fault === undefined ? 'There are no credentials yet.' : 'No integration refers to a credential.';
    printer.result({ credentials: all, ...(fault && { fault: fault.record() }) }, () =>
      all.length === 0 ? nothing : credentialTable(all),
    );
    if (fault === undefined) return ExitCode.Ok;
    printer.err.write(`${faultText(fault, printer.json)}\n`);
    return exitCodeOf(fault);
  } finally {
    await connection.close();
  }
}

/** What is in the file, but in no document. That it cannot be read must not hide what the integrations use. */
async function unused(
  call: Call<FileOptions>,
  used: readonly Listed[],
): Promise<{ readonly entries: readonly Listed[]; readonly fault?: Fault }> {
  if (call.options.stage !== undefined || call.options.url !== undefined) return { entries: [] };
  const isUsed = ({ name }: CredentialAge) => used.some((one) => one.name === name && one.store === 'encrypted_file');
  try {
    const entries = await fileOf(call).list();
    return { entries: entries.filter((entry) => !isUsed(entry)).map(listed) };
  } catch (error) {
    return { entries: [], fault: toFault(error, 'listing the file of credentials') };
  }
}

function listed({ name, changedAt }: CredentialAge): Listed {
  return {
    name,
    store: 'encrypted_file',
    used_by: [],
    changed_at: new Date(changedAt).toISOString(),
    age_seconds: Math.max(0, Math.floor((systemClock.now() - changedAt) / 1000)),
    state: 'ok',
  };
}

const STORES: { readonly [store: string]: string } = {
  encrypted_file: 'encrypted file',
  environment: 'environment',
  secrets_manager: 'Secrets Manager',
};

function credentialTable(all: readonly Listed[]): string {
  const titles = ['name', 'kept in', 'age', 'state', 'due', 'used by'];
  const rows = all.map(({ name, store: kept, age_seconds, state, due_at, used_by, fault }) => [
    name,
    STORES[kept ?? ''] ?? '-',
    age_seconds === undefined ? '-' : duration(age_seconds),
    fault === undefined ? state : `${state}: ${plain(fault.message)}`,
    due_at?.slice(0, 10) ?? '-',
    used_by.join(', ') || '-',
  ]);
  return table(
    titles.map((title) => ({ title })),
    rows,
  );
}
