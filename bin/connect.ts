import { readOwner } from '../lib/adapters/embedded/data-folder';
import { createLogger } from '../lib/adapters/embedded/log';
import { logLevelOf } from '../lib/adapters/embedded/log-level';
import { Fault } from '../lib/core/fault';
import type { Logger } from '../lib/core/log';
import { type Redactor, Secret } from '../lib/core/secret';
import type { Connection, Environment, GlobalOptions } from './cli';
import { createClient, overHttp, type Send } from './client';
import { overSigned, regionOf } from './signed';

/** The API key that the environment gives. */
export function apiKeyOf(options: GlobalOptions, env: Environment): Secret | undefined {
  const value = env[options.apiKeyEnv];
  return value ? new Secret(value) : undefined;
}

/** URL of the destination that was asked for; absent for the embedded server. */
export function destinationUrlOf(options: GlobalOptions, env: Environment): { readonly destinationUrl?: string } {
  const url = options.destinationUrl ?? env.EXPLORERIO_DESTINATION_URL;
  return url ? { destinationUrl: url } : {};
}

/** The log of this process, on standard error; `quiet`: only what is wrong, unless the environment asks for more. */
export function openLog(env: Environment, redactor: Redactor, quiet: boolean): Logger {
  const isSet = env.INTEGRATION_LOG_LEVEL || env.INTEGRATION_DEBUG;
  return createLogger({ level: quiet && !isSet ? 'error' : logLevelOf(env), redactor });
}

/** Reaches the server that owns the data folder, or opens the folder in this process. */
export async function connect(options: GlobalOptions, needs: 'state' | 'work', env: Environment): Promise<Connection> {
  const key = apiKeyOf(options, env);
  if (options.stage !== undefined) {
    const { stageApi } = await import('./stage');
    const { url, region } = await stageApi(options.stage);
    return overNetwork(url, overSigned(url, region));
  }
  if (options.url !== undefined) {
    const url = checkedUrl(options.url);
    const region = options.signRegion ?? regionOf(url);
    return region === undefined ? overNetwork(url, overHttp(url), key) : overNetwork(url, overSigned(url, region));
  }
  const owner = readOwner(options.data);
  if (owner?.url !== undefined) return overNetwork(owner.url, overHttp(owner.url), key);
  return inProcess(options, needs, env);
}

function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new Fault('config', 'invalid_url', `reading --url: "${url}" is not the URL of a server`, {
    hint: 'Expected something like http://127.0.0.1:8080.',
  });
}

function overNetwork(url: string, send: Send, key?: Secret): Connection {
  return { client: createClient(send, key), server: url, close: async () => undefined };
}

async function inProcess(options: GlobalOptions, needs: 'state' | 'work', env: Environment): Promise<Connection> {
  const { openLocalHome } = await import('./local-home');
  const home = await openLocalHome(options, env, true);
  try {
    if (needs === 'work') await home.startWork();
  } catch (error) {
    await home.stop();
    throw error;
  }
  const client = createClient(async (path, init) => home.app.request(path, init));
  return { client, close: () => home.stop() };
}
