import { Redactor } from '../lib/core/secret';
import type { Environment, GlobalOptions } from './cli';
import { destinationUrlOf, openLog } from './connect';
import { type Home, type HomeOptions, openHome } from './embedded';
import { sampleSecrets } from './sample/secrets';

/** Opens the data folder that the options name, in this process; `quiet`: log only what is wrong. */
export async function openLocalHome(
  options: GlobalOptions,
  env: Environment,
  quiet: boolean,
  more: Partial<HomeOptions> = {},
): Promise<Home> {
  const redactor = new Redactor();
  const home = {
    dataFolder: options.data,
    ...destinationUrlOf(options, env),
    env,
    log: openLog(env, redactor, quiet),
    redactor,
    ownSecrets: sampleSecrets(options.data),
    ...more,
  };
  return openHome(home);
}
