import { fileURLToPath, pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { askSecret } from '../bin/secret-input';
import { givenServer, Refusal, type VerifyOptions, withPassword } from '../test/verify/request';
import { verifiedTypes } from '../test/verify/types';
import { EXIT, verify } from '../test/verify/verify';

// node scripts/run.mjs scripts/verify.ts TYPE --url ...: the contract suite against a server of the user's.
interface Options extends VerifyOptions {
  readonly passwordEnv?: string;
  readonly only?: string;
}

const root = fileURLToPath(new URL('..', pathToFileURL(process.argv[1] ?? '')));
const examples = Object.entries(verifiedTypes).map(([type, { example }]) => `  ${type.padEnd(12)}--url ${example}`);

const HELP = `
Addresses, by type:
${examples.join('\n')}

The database that is named is written to: name one for tests. All that is made there has a name that begins with
explorerio_verify_ and some letters of this run, and is removed in the end, also after a failure or Ctrl-C. The user needs the
right to make, fill and drop tables; mysql and mariadb want PROCESS besides for all checks, oracle SELECT on V_$TRANSACTION.

Passwords never stand in the address. Without --password-env it is asked for where there is a terminal and a user.

The last lines are a table: each check passed, FAILED or was NOT RUN, with the reason.
Exit codes: 0 none failed, 1 some failed, 2 it could not begin, 130 it was interrupted.
`;

const command = new Command('npm run verify --')
  .description('Runs the contract suite of a connector against a server of yours.')
  .argument('<type>', `one of: ${Object.keys(verifiedTypes).join(', ')}`)
  .option('--url <url>', 'which server and database, without a password')
  .option('--password-env <name>', 'environment variable that holds the password')
  .option('--schema <name>', 'schema to make tables in (postgresql, mssql, azure_sql)')
  .option('--config <file>', 'JSON file with more of the configuration, such as {"connection": {"ssl": true}}')
  .option('--only <text>', 'only checks whose title holds this')
  .addHelpText('after', HELP)
  .exitOverride();

process.exitCode = await main();

async function main(): Promise<number> {
  const interrupted = new AbortController();
  try {
    command.parse();
    const { passwordEnv, only, ...options } = command.opts<Options>();
    const [type = ''] = command.args;
    const given = givenServer(type, options);
    const password = await passwordFor(given.config.connection as object, passwordEnv);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (!interrupted.signal.aborted) console.log('\nStops, and removes what was made ...');
        interrupted.abort();
      });
    }
    const home = { root, signal: interrupted.signal, print: (line: string) => console.log(line) };
    return await verify(withPassword(given, password), { ...home, ...(only !== undefined && { only }) });
  } catch (error) {
    if (isOfCommander(error)) return error.exitCode === 0 ? EXIT.passed : EXIT.refused;
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message.trim());
    return interrupted.signal.aborted ? EXIT.interrupted : EXIT.refused;
  }
}

function isOfCommander(error: unknown): error is { readonly exitCode: number } {
  return typeof (error as { exitCode?: unknown } | null)?.exitCode === 'number';
}

async function passwordFor(connection: object, name: string | undefined): Promise<string | undefined> {
  if (name !== undefined) {
    const value = process.env[name];
    if (value === undefined || value === '') throw new Refusal(`the environment variable ${name} is not set, or empty`);
    return value;
  }
  const isNamed = 'username' in connection || 'access_key_id' in connection;
  if (!isNamed || !process.stdin.isTTY) return undefined;
  const value = await askSecret(process.stderr, process.stdin, 'Password (not shown; Enter for none): ');
  return value === '' ? undefined : value;
}
