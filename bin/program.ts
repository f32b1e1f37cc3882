import { Command, Option } from 'commander';
import type { AddCommand, Cli } from './cli';
import { addAlerts } from './commands/alerts';
import { addCheck } from './commands/check';
import { addCost } from './commands/cost';
import { addDiscover } from './commands/discover';
import { addHealth } from './commands/health';
import { addList, addRemove } from './commands/list';
import { addNotify } from './commands/notify';
import { addPlan } from './commands/plan';
import { addQuarantine } from './commands/quarantine';
import { addCancel, addRun, addRuns } from './commands/runs';
import { addSchema } from './commands/schema';
import { addSearch } from './commands/search';
import { addSecrets } from './commands/secrets';
import { addServe } from './commands/serve';
import { addState } from './commands/state';
import { addStats } from './commands/stats';
import { addStatus } from './commands/status';
import { addSync } from './commands/sync';
import { addValidate } from './commands/validate';
import { EXIT_CODE_HELP } from './exit-codes';
import { VERSION } from './version';

const COMMANDS: readonly AddCommand[] = [
  addServe,
  addSync,
  addCheck,
  addDiscover,
  addPlan,
  addValidate,
  addStatus,
  addHealth,
  addStats,
  addRuns,
  addRun,
  addCancel,
  addQuarantine,
  addSchema,
  addSecrets,
  addAlerts,
  addNotify,
  addSearch,
  addList,
  addRemove,
  addState,
  addCost,
];

const ABOUT = `Moves data from databases, files, APIs and streams into one PostgreSQL store, and loses nothing on the way.

Where a server works on the data folder, commands talk to it; otherwise they do the work themselves.`;

const FURTHER_HELP = `
Environment (a file named .env in the current folder is read too; what is set outside of it wins):
  EXPLORERIO_DATA             the data folder
  EXPLORERIO_DESTINATION_URL  postgresql:// URL of the destination, in place of the embedded server
  EXPLORERIO_API_KEY          key that the server asks for and the commands send
  INTEGRATION_LOG_LEVEL       debug, info, warn or error; INTEGRATION_DEBUG=true is the same as debug
  EXPLORERIO_ENCRYPTION_KEY   key of the file of credentials, see "explorerio help secrets"
  EXPLORERIO_CREDENTIALS_FILE that file; credentials.enc in the data folder by default
  NAME                        what \${NAME} stands for in a document

${EXIT_CODE_HELP}

Examples:
  explorerio serve --sample                 start, with a sample of real data
  explorerio check shop.json                can the database of this document be reached?
  explorerio sync shop.json                 create the integration and load its data
  explorerio status                         how everything stands
  explorerio help sync                      more about a command`;

/** The whole command line. Usage errors are thrown as `CommanderError`. */
export function createProgram(cli: Cli): Command {
  const program = new Command('explorerio')
    .description(ABOUT)
    .version(VERSION)
    .option('--data <folder>', 'data folder', cli.env.EXPLORERIO_DATA ?? '.explorerio')
    .option('--url <url>', 'talk to the server at this address instead of the one that owns the data folder')
    .addOption(
      new Option(
        '--stage <name>',
        'talk to a deployed stage, by the AWS credentials and region of your AWS CLI',
      ).conflicts('url'),
    )
    .option(
      '--sign-region <region>',
      'sign requests for API Gateway in this region; its own addresses tell it themselves',
    )
    .option('--api-key-env <name>', 'environment variable that holds the API key', 'EXPLORERIO_API_KEY')
    .option('--destination-url <url>', 'PostgreSQL server to load into, see EXPLORERIO_DESTINATION_URL')
    .option('--json', 'print results as JSON')
    .addHelpText('after', FURTHER_HELP)
    .configureHelp({ showGlobalOptions: true, helpWidth: 120 })
    .configureOutput({
      writeOut: (text) => void cli.stdout.write(text),
      writeErr: (text) => void cli.stderr.write(text),
    })
    .showHelpAfterError('(add --help for usage and examples)')
    .exitOverride();
  for (const add of COMMANDS) add(program, cli);
  return program;
}
