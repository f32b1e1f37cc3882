import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openHome } from '../../bin/embedded';
import { serveApi } from '../../lib/adapters/embedded/http';
import type { Json } from '../../lib/core/json';
import { Redactor } from '../../lib/core/secret';
import { commandLine, type Outcome } from '../cli/command-line';
import { type LogLine, recordingLogger } from '../contracts/recording-logger';
import { eventually, temporaryFolder } from './home';

/** What the API answered: a status, and JSON or text. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they please.
  readonly body: any;
}

/** The program as `explorerio serve` runs it, asked over HTTP. */
export interface ServedHome {
  /** A folder in which documents may name files of credentials. */
  readonly secure: string;
  readonly lines: readonly LogLine[];
  call(method: string, path: string, body?: object): Promise<Answer>;
  /** Posts bytes with these headers alone, as a program of somebody else does. */
  post(path: string, body: Uint8Array, headers: { readonly [name: string]: string }): Promise<Answer>;
  /** Starts a sync and waits for its end. */
  sync(id: string, type?: 'full' | 'incremental'): Promise<Answer['body']>;
  /** Another process on the same folders. */
  cli(...args: string[]): Promise<Outcome>;
  stop(): Promise<void>;
}

/** Starts it on a free port, with everything that `serve` starts. */
export async function startServedHome(
  destinationUrl: string,
  given: { readonly [name: string]: string } = {},
): Promise<ServedHome> {
  const folder = temporaryFolder();
  const [dataFolder, secure] = [join(folder, 'data'), join(folder, 'secure')];
  for (const path of [dataFolder, secure]) mkdirSync(path);
  const env = { EXPLORERIO_CREDENTIALS_FOLDERS: secure, ...given };
  const { log, lines } = recordingLogger();
  const home = await openHome({
    ...{ dataFolder, destinationUrl, env, log, redactor: new Redactor() },
    notifyLimits: { gatherMs: 0 },
  });
  const http = await serveApi({ app: home.app, host: '127.0.0.1', port: 0 });
  await home.startWork();
  home.startSchedules();
  home.startHealthChecks();
  home.startNotifications();
  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const answer = await fetch(`${http.url}${path}`, init);
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    return { status: answer.status, body: isJson ? (JSON.parse(text) as Json) : text };
  };
  const call = (method: string, path: string, body?: object): Promise<Answer> =>
    send(path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
  return {
    secure,
    lines,
    call,
    post: (path, body, headers) => send(path, { method: 'POST', body, headers: { ...headers } }),
    async sync(id, type) {
      const { status, body } = await call('POST', `/api/integrations/${id}/sync`, {
        async: true,
        ...(type && { type }),
      });
      if (status !== 202) throw new Error(`${id}: ${JSON.stringify(body)}`);
      return eventually(async () => {
        const run = (await call('GET', `/api/runs/${body.id}`)).body;
        return run.finished_at === undefined ? undefined : run;
      });
    },
    cli: (...args) => commandLine([...args, '--data', dataFolder], { env }),
    async stop() {
      await http.stop();
      await home.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
