import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { signalIfAlive } from './process-tree';

const STOP_TIMEOUT_MS = 10_000;
// The pid is written by the server's own process before it becomes the server, so that there is no moment without it.
const LAUNCHER = 'echo $$ >"$1/pid"; shift; exec "$@"';
// Waits for the end of its input, which comes when our process ends, however it ends. Without a pid file there is
// nothing to end: the server was stopped in order.
const WATCHER = `cat >/dev/null
  if [ -s "$1/pid" ]; then kill -s KILL -- "-$(cat "$1/pid")" 2>/dev/null; sleep 0.2; fi
  rm -rf "$1"`;

/** What to start: its output goes to `folder`/log, and `folder` is removed with it. */
export interface GroupCommand {
  readonly command: readonly [string, ...string[]];
  /** All that it sees of an environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** A server that starts processes of its own: they end together, with our process at the latest. */
export interface ProcessGroup {
  readonly pid: number;
  log(): string;
  hasEnded(): boolean;
  /** SIGTERM for all of them, then SIGKILL for those that are left; removes the folder. */
  stop(): Promise<void>;
}

/** Starts `command` in a process group of its own. */
export function startGroup({ command, environment, folder }: GroupCommand): ProcessGroup {
  const input = watch(folder);
  const log = openSync(join(folder, 'log'), 'a');
  const child = spawn('/bin/sh', ['-c', LAUNCHER, 'sh', folder, ...command], {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  const { pid } = child;
  if (pid === undefined) throw new Error('/bin/sh cannot be started');
  return {
    pid,
    log: () => readFileSync(join(folder, 'log'), 'utf8'),
    hasEnded: () => hasEnded(child),
    async stop() {
      await endGroup(child, pid);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      input?.end();
    },
  };
}

function watch(folder: string): ChildProcess['stdin'] {
  const child: ChildProcess = spawn('/bin/sh', ['-c', WATCHER, 'sh', folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  const { stdin } = child;
  if (stdin && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return stdin;
}

async function endGroup(child: ChildProcess, pid: number): Promise<void> {
  if (!hasEnded(child)) {
    const ended = once(child, 'exit');
    child.ref();
    signalIfAlive(-pid, 'SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(killer);
  }
  signalIfAlive(-pid, 'SIGKILL'); // what its first process left behind
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
