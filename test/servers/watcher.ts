import { type ChildProcess, spawn } from 'node:child_process';
import type { Account } from './account';

// Waits for the end of its input, which comes when our process ends, however it ends.
const SCRIPT = 'cat >/dev/null; "$1/pg_ctl" stop -D "$2/data" -m immediate -w -t 10 >/dev/null 2>&1; rm -rf "$2"';

/** A tiny process that outlives ours: it stops the server in `folder` and removes the folder when we are gone. */
export interface Watcher {
  dismiss(): void;
}

/** Starts the watcher of one cluster folder. */
export function watch(binaries: string, folder: string, account: Account): Watcher {
  const child: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT, 'sh', binaries, folder], {
    ...account,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  const input = child.stdin;
  if (input && 'unref' in input && typeof input.unref === 'function') input.unref();
  return { dismiss: () => void input?.end() };
}
