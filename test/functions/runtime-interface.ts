import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Json } from '../../lib/core/json';
import type { ServerRecipe } from '../servers/require';

// Tests and benchmarks run in the project's folder; the latter as bundles, which lie elsewhere.
const CLIENT = join(process.cwd(), '.build/runtime-client/node_modules/aws-lambda-ric/index.mjs');
const NATIVE = join(process.cwd(), 'test/functions/native-client.cjs');
const DEADLINE_MS = 60_000;

/** For `describeWithServer`: Lambda's runtime interface client, which is a file and needs no start. */
export const runtimeClient: ServerRecipe<{ stop(): Promise<void> }> = {
  name: "Lambda's runtime interface client",
  unavailable: () => (existsSync(CLIENT) ? undefined : 'it is not installed; run scripts/install-runtime-client.sh'),
  start: async () => ({ stop: async () => undefined }),
};

/** What came of one event. */
export interface Invocation {
  readonly result?: Json;
  readonly error?: Json;
  /** Milliseconds from the start of the process until it asked for its first event. */
  readonly initMs: number;
}

/** Starts a bundle in Lambda's own runtime interface client, gives it one event, and ends it. */
export async function invokeOnce(
  folder: string,
  event: Json,
  environment: { readonly [name: string]: string },
  handler = 'index.handler',
): Promise<Invocation> {
  const started = performance.now();
  let initMs = 0;
  let answered: (invocation: Invocation) => void = () => undefined;
  let failed: (error: Error) => void = () => undefined;
  const outcome = new Promise<Invocation>((resolve, reject) => {
    answered = resolve;
    failed = reject;
  });
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.endsWith('/invocation/next')) {
      // The second request waits: Lambda would freeze the process here.
      if (initMs > 0) return;
      initMs = performance.now() - started;
      response.setHeader('Lambda-Runtime-Aws-Request-Id', 'request-1');
      response.setHeader('Lambda-Runtime-Deadline-Ms', String(Date.now() + DEADLINE_MS));
      response.setHeader('Lambda-Runtime-Invoked-Function-Arn', 'arn:aws:lambda:us-east-1:000000000000:function:test');
      response.end(JSON.stringify(event));
      return;
    }
    const body = JSON.parse((await bodyOf(request)) || 'null') as Json;
    response.statusCode = 202;
    response.end('{}');
    answered({ initMs, ...(request.url?.endsWith('/response') ? { result: body } : { error: body }) });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const child = spawn(process.execPath, ['--require', NATIVE, CLIENT], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: handler,
      AWS_LAMBDA_FUNCTION_NAME: 'test',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
      AWS_LAMBDA_FUNCTION_VERSION: '1',
      AWS_LAMBDA_LOG_GROUP_NAME: 'test',
      AWS_LAMBDA_LOG_STREAM_NAME: 'test',
      ...environment,
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: 'true',
    },
  });
  const output = collect(child);
  child.once('exit', (code) => failed(new Error(`the runtime ended with code ${code}: ${output()}`)));
  try {
    return await outcome;
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-4000);
    });
  }
  return () => text;
}
