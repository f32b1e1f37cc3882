import type { Cli, Connection, Environment, SecretStream } from '../../bin/cli';
import { createClient, type Send } from '../../bin/client';
import { runCommandLine } from '../../bin/main';
import { createApi } from '../../lib/api/app';
import type { Logger } from '../../lib/core/log';
import type { Service } from '../../lib/core/service';

/** What one command line did. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a test puts in the place of the world. */
export interface World {
  readonly env?: Environment;
  readonly connection?: Connection;
  readonly signal?: AbortSignal;
  readonly stdin?: SecretStream;
}

/** Runs a command line in this process. */
export async function commandLine(args: readonly string[], world: World = {}): Promise<Outcome> {
  let out = '';
  let err = '';
  const cli: Omit<Cli, 'exit'> = {
    env: world.env ?? {},
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    signal: world.signal ?? new AbortController().signal,
    ...(world.stdin && { stdin: world.stdin }),
    async connect() {
      if (world.connection === undefined) throw new Error('this command line was not expected to connect');
      return world.connection;
    },
  };
  const code = await runCommandLine(args, cli);
  return { code, out, err };
}

/** A logger that says nothing. */
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
};

/** The real API over a service of which a test gives only what is called. */
export function sendTo(service: Partial<Service>): Send {
  const app = createApi({ service: service as Service, version: '0.0.0', log: silent, allowedHosts: [] });
  return async (path, init) => app.request(path, init);
}

/** A connection to that API; `closed` counts how often it was closed. */
export function connectionTo(service: Partial<Service>, server?: string): Connection & { closed: number } {
  const connection = {
    client: createClient(sendTo(service)),
    ...(server !== undefined && { server }),
    closed: 0,
    close: async () => void connection.closed++,
  };
  return connection;
}
