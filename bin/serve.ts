import { relative } from 'node:path';
import { remoteAddress, serveApi } from '../lib/adapters/embedded/http';
import { toFault } from '../lib/core/fault';
import type { Call } from './cli';
import type { ServeOptions } from './commands/serve';
import { apiKeyOf, destinationUrlOf } from './connect';
import { psqlLine, psqlLineOf } from './destination-home';
import type { Home } from './embedded';
import { ExitCode } from './exit-codes';
import { openLocalHome } from './local-home';
import { faultText, type Printer } from './output/printer';
import { prepareSample, showSample } from './sample/sample';
import { VERSION } from './version';

const LAST_REQUESTS_MS = 2000;

/** Serves until the signal of the command line aborts, then stops cleanly. */
export async function serve({ cli, options, printer }: Call<ServeOptions>): Promise<number> {
  const apiKey = apiKeyOf(options, cli.env);
  const home = await openLocalHome(options, cli.env, false, {
    allowedHosts: [options.host, ...(options.allowHost ?? [])],
    clientOf: remoteAddress,
    stopping: cli.signal,
    ...(apiKey && { apiKey }),
  });
  try {
    // Before anything else is started: a port that is taken is the most likely reason to give up.
    const http = await serveApi({ app: home.app, host: options.host, port: options.port, ...(apiKey && { apiKey }) });
    try {
      home.announce(http.url);
      const psql = await psqlOf(home, destinationUrlOf(options, cli.env).destinationUrl);
      if (options.sample) await prepareSample(home, printer);
      await home.startWork();
      home.startSchedules();
      home.startHealthChecks();
      home.startNotifications();
      printer.result({ url: http.url, data: home.dataFolder, psql }, () => welcome(http.url, home.dataFolder, psql));
      if (options.sample) await trySample(home, printer, cli.signal);
      await aborted(cli.signal);
      printer.note('Stopping: batches that are being written end first.');
    } finally {
      await http.stop(LAST_REQUESTS_MS);
    }
  } finally {
    await home.stop();
  }
  return ExitCode.Ok;
}

async function psqlOf(home: Home, destinationUrl: string | undefined): Promise<string> {
  if (destinationUrl !== undefined) return psqlLineOf(destinationUrl);
  const server = await home.server();
  return psqlLine(server, server.passwordFile);
}

function welcome(url: string, dataFolder: string, psql: string): string {
  const near = relative(process.cwd(), dataFolder);
  return `
ExplorerIO ${VERSION} is ready.

  API        ${url}/api/integrations
  Reference  ${url}/api/docs
  Data       ${near.startsWith('..') ? dataFolder : near || '.'}
  Database   ${psql}
  Stop       Ctrl-C
`;
}

/** What goes wrong with the sample must not end a server that works. */
async function trySample(home: Home, printer: Printer, signal: AbortSignal): Promise<void> {
  try {
    await showSample(home, printer, signal);
  } catch (error) {
    printer.err.write(`${faultText(toFault(error, 'showing the sample'), false)}\n`);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
