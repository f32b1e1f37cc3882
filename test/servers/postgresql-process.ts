import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Account } from './account';
import { patient } from './patience';
import { SUPERUSER } from './postgresql-template';
import { processesBelow, signalIfAlive } from './process-tree';

const READY_TIMEOUT_MS = patient(60_000);
const STOP_TIMEOUT_MS = 15_000;

/** What one server process is started with. */
export interface ServerCommand {
  readonly binaries: string;
  readonly folder: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly account: Account;
}

/** Starts the server, and is done when it answers a query. Throws with the end of its log when it ends before. */
export async function launch(command: ServerCommand): Promise<ChildProcess> {
  const log = openSync(join(command.folder, 'log'), 'a');
  const settings = Object.entries({ ...command.settings, port: String(command.port) });
  const child = spawn(
    join(command.binaries, 'postgres'),
    ['-D', join(command.folder, 'data'), ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...command.account, cwd: '/', detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  child.unref();
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  const end = Date.now() + READY_TIMEOUT_MS;
  while (!(await answers(command))) {
    if (failed) throw failed;
    if (hasEnded(child)) throw new Error(`PostgreSQL ended at start:\n${logTail(command.folder)}`);
    if (Date.now() > end) {
      child.kill('SIGQUIT');
      throw new Error(`PostgreSQL is not ready after ${READY_TIMEOUT_MS / 1000} s:\n${logTail(command.folder)}`);
    }
    await sleep(25);
  }
  return child;
}

/** Sends `signal` and waits for the end; a server that ignores it for 15 s is killed. */
export async function end(child: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  await endBy(child, () => child.kill(signal));
}

/**
 * SIGKILL for the server and every process of it. Killing the first one alone is no power failure: a backend that has
 * work does not notice, and commits it.
 */
export async function killAll(child: ChildProcess): Promise<void> {
  await endBy(child, () => {
    const { pid } = child;
    if (pid === undefined) return;
    child.kill('SIGSTOP'); // so that it neither starts another process, nor sends the rest away in order
    for (const below of processesBelow(pid)) signalIfAlive(below, 'SIGKILL');
    child.kill('SIGKILL');
  });
}

async function endBy(child: ChildProcess, signal: () => void): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.ref();
  signal();
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(killer);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

// Another server may have taken the port a moment ago: only the one with our data folder is ours.
async function answers({ port, folder }: ServerCommand): Promise<boolean> {
  const client = new Client({ host: '127.0.0.1', port, ...SUPERUSER, database: 'postgres' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string }>(`select current_setting('data_directory') as folder`);
    return rows[0]?.folder === realpathSync(join(folder, 'data'));
  } catch {
    return false; // not yet; why it never will be is in the server's log
  } finally {
    await client.end().catch(() => undefined);
  }
}

function logTail(folder: string): string {
  return readFileSync(join(folder, 'log'), 'utf8').split('\n').slice(-15).join('\n');
}
