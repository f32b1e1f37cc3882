import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, type FaultKind } from '../lib/core/fault';
import type { Secret } from '../lib/core/secret';
import type { Problem } from './wire';

/** Delivers one request to the API: over HTTP, or to the application in this process. */
export type Send = (path: string, init: RequestInit) => Promise<Response>;

/** The API as the commands see it. */
export interface Client {
  /**
   * Sends a request and gives the JSON of its answer; `undefined` when it has none.
   * @throws Fault what the API answered with, or `transient`/`server_unreachable`
   */
  request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T>;
}

const MOST_ATTEMPTS = 5;

/** A client that sends by `send`. */
export function createClient(send: Send, apiKey?: Secret): Client {
  return {
    async request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal) {
      const init: RequestInit = {
        method,
        headers: {
          Accept: 'application/json',
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...(apiKey !== undefined && { Authorization: `Bearer ${apiKey.reveal()}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
      };
      const response = await sendPatiently(send, path, init);
      if (!response.ok) throw await faultOf(response, `${method} ${path}`);
      return (response.status === 204 ? undefined : JSON.parse(await response.text())) as T;
    },
  };
}

/** A path of the API below the address of its server, which may have a path of its own. */
export function urlAt(base: string, path: string): URL {
  return new URL(`${base.replace(/\/+$/, '')}${path}`);
}

/** Delivers requests to a server at `base`. */
export function overHttp(base: string): Send {
  return async (path, init) => {
    try {
      return await fetch(urlAt(base, path), { ...init, redirect: 'error' });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new Fault(
        'transient',
        'server_unreachable',
        `reaching the ExplorerIO server at ${base}: ${reason(error)}`,
        {
          hint: 'Start it with "explorerio serve", or name its address with --url.',
          cause: error,
        },
      );
    }
  };
}

function reason(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown; message?: unknown } };
  return String(cause?.code ?? cause?.message ?? error);
}

async function sendPatiently(send: Send, path: string, init: RequestInit): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await send(path, init);
    if (response.status !== 429 || attempt === MOST_ATTEMPTS) return response;
    const seconds = Number(response.headers.get('retry-after') ?? 1);
    await sleep(seconds * 1000, undefined, init.signal ? { signal: init.signal } : {});
  }
}

async function faultOf(response: Response, doing: string): Promise<Fault> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
  if (!isProblem) {
    return new Fault('bug', 'unexpected_answer', `${doing}: HTTP ${response.status} without an explanation`, {
      hint: 'Is there an ExplorerIO server at that address?',
    });
  }
  const problem = (await response.json()) as Problem;
  const hint = hintOf(problem);
  return new Fault(kindOf(response.status), problem.code, problem.detail, {
    ...(hint !== undefined && { hint }),
    ...(problem.errors !== undefined && { issues: problem.errors }),
    ...(problem.run !== undefined && { run: problem.run }),
  });
}

function hintOf(problem: Problem): string | undefined {
  return problem.code === 'unauthorized'
    ? 'Put the API key of the server into the environment variable EXPLORERIO_API_KEY, or name another with --api-key-env.'
    : problem.hint;
}

function kindOf(status: number): FaultKind {
  if (status === 429 || status === 503) return 'transient';
  return status < 500 ? 'config' : 'bug';
}
