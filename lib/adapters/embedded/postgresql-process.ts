import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Binaries } from './postgresql-binaries';
import { serverEnvironment } from './postgresql-cluster';
import type { ServerHome } from './postgresql-home';

/** What postmaster.pid says of a server. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number | undefined;
}

const LARGEST_LOG = 10 * 1024 * 1024;
const LEAST_SHARED_MEMORY = 1024 ** 3;
const STOP_SECONDS = 10;
const IMMEDIATE_STOP_SECONDS = 5;

/** The server that postmaster.pid names; `undefined` when there is no such file, or nothing in it yet. */
export function readPostmaster({ dataDirectory }: ServerHome): Postmaster | undefined {
  const file = join(dataDirectory, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  const pid = Number(lines[0]);
  return pid > 0 ? { pid, port: Number(lines[3]) || undefined } : undefined;
}

/** Whether a process of that id runs and is the server of this data; `undefined` when the system does not tell. */
export function isServer(pid: number, { dataDirectory }: ServerHome): boolean | undefined {
  if (!isAlive(pid)) return false;
  return commandLine(pid)?.includes(dataDirectory);
}

/** Whether a process of that id runs. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function commandLine(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch (error) {
    const { code, status } = error as NodeJS.ErrnoException & { status?: number };
    if (code === 'ENOENT' && process.platform === 'linux') return ''; // ended in between
    if (code !== undefined || status !== undefined) return undefined;
    throw error;
  }
}

/**
 * Starts the server in a session of its own, writing into a file: a Ctrl-C in the terminal, or our end, does not reach
 * it, so that it is always stopped in order, or found again.
 */
export function spawnServer(home: ServerHome, { postgres }: Binaries, port: number): ChildProcess {
  const settings = { listen_addresses: '127.0.0.1', port, dynamic_shared_memory_type: sharedMemoryType() };
  const given = Object.entries(settings).flatMap(([name, value]) => (value ? ['-c', `${name}=${value}`] : []));
  const log = openLog(home.logFile);
  try {
    const server = spawn(postgres, ['-D', home.dataDirectory, ...given], {
      ...home.account,
      cwd: '/',
      env: serverEnvironment(),
      detached: true,
      stdio: ['ignore', log, log],
    });
    server.unref();
    return server;
  } finally {
    closeSync(log);
  }
}

// A container often has 64 MB of /dev/shm, with which parallel queries fail; files do as well.
function sharedMemoryType(): string | undefined {
  if (process.platform !== 'linux' || !existsSync('/dev/shm')) return undefined;
  const { bsize, blocks } = statfsSync('/dev/shm');
  return bsize * blocks < LEAST_SHARED_MEMORY ? 'mmap' : undefined;
}

function openLog(file: string): number {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LARGEST_LOG) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/** The last lines that the server wrote. */
export function logTail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n') : '';
}

/** Ends the server: clients are cut off, what they committed is kept. When it does not obey, at once. */
export async function stopServer(home: ServerHome, { pgCtl }: Binaries): Promise<void> {
  const stop = async (mode: string, seconds: number) => {
    const options = ['stop', '-D', home.dataDirectory, '-m', mode, '-t', String(seconds)];
    await promisify(execFile)(pgCtl, options, { ...home.account, cwd: '/', env: serverEnvironment() });
  };
  const { pid } = readPostmaster(home) ?? {};
  if (pid === undefined || isServer(pid, home) === false) return;
  try {
    await stop('fast', STOP_SECONDS);
  } catch (error) {
    if (!isAlive(pid)) return;
    if ((error as { code?: unknown }).code !== 1) throw error;
    await stop('immediate', IMMEDIATE_STOP_SECONDS);
  }
  // pg_ctl waits for the file to go, which is a moment before the process.
  for (let waited = 0; waited < 2000 && isAlive(pid); waited += 10) await setTimeout(10);
}
