import type { AddCommand } from '../cli';
import { perform } from '../perform';

const EXAMPLES = `
Every error is reported as "file: field: message", or "file:line:column: message" where a file is not JSON. Nothing is
connected to and no data folder is needed. The exit code is 2 when a file is wrong.

Examples:
  explorerio validate main_database.json
  explorerio validate integrations/ --json`;

/** `explorerio validate`: checks documents without using them. */
export const addValidate: AddCommand = (program, cli) => {
  const command = program
    .command('validate')
    .description('check JSON documents: every wrong field, with its path and what is expected')
    .argument('<file|folder...>', 'documents, or folders of *.json')
    .addHelpText('after', EXAMPLES);
  perform(command, cli, async (call) => (await import('../validate')).validate(call));
};
