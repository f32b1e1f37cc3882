import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { AssetCode, type Code } from 'aws-cdk-lib/aws-lambda';
import { Fault } from '../core/fault';
import type { DeclaredIntegration } from './declared';
import { DECLARED_FILE } from './env';
import type { StageSettings } from './stage-settings';

/** What stands behind the handler `index.handler` for an emulator that does not look for `index.cjs`, as Lambda does. */
const SHIM = "module.exports = require('./index.cjs');\n";

/**
 * The built code of a function, and beside it the documents that it is given.
 * @throws Fault `config`/`not_built`
 */
export function functionCode(
  { functions, emulated }: StageSettings,
  name: string,
  declared: readonly DeclaredIntegration[] = [],
): Code {
  const source = join(functions, name);
  if (!existsSync(join(source, 'index.cjs'))) {
    throw new Fault('config', 'not_built', `reading the code of function ${name}: there is no ${source}/index.cjs`, {
      hint: 'Build the functions first: node build-functions.mjs',
    });
  }
  const files = {
    ...(declared.length > 0 && { [DECLARED_FILE]: `${JSON.stringify(declared.map(({ document }) => document))}\n` }),
    ...(emulated && { 'index.js': SHIM }),
  };
  return Object.keys(files).length === 0 ? new AssetCode(source) : withFiles(source, files);
}

function withFiles(source: string, files: { readonly [name: string]: string }): Code {
  return new AssetCode(source, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never pulled: the copy below succeeds or throws.
      image: DockerImage.fromRegistry('none'),
      local: {
        tryBundle(output) {
          cpSync(source, output, { recursive: true });
          for (const [name, text] of Object.entries(files)) writeFileSync(join(output, name), text);
          return true;
        },
      },
    },
  });
}
