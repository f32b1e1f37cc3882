import { execFileSync, spawnSync } from 'node:child_process';
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Account, sharedTemporaryFolder } from './account';
import { createOnce, type PostgresqlVersion } from './postgresql-binaries';

/** Superuser and password of every test cluster; long and odd enough to be searched for in logs. */
export const SUPERUSER = { user: 'postgres', password: 'Kestrel-4711-quarry' } as const;

const CLUSTER_PREFIX = 'explorerio-postgresql-run-';

/** A fresh cluster in a folder of its own: `data` inside it is a copy of one that initdb made once per version. */
export function makeClusterFolder(version: PostgresqlVersion, binaries: string, account: Account): string {
  const template = makeTemplate(version, binaries, account);
  const folder = mkdtempSync(join(sharedTemporaryFolder(account), CLUSTER_PREFIX));
  writeFileSync(join(folder, 'owner'), String(process.pid));
  give(folder, account);
  // `cp` as the server's user, so that every file belongs to it.
  execFileSync('cp', ['-R', '-p', join(template, 'data'), folder], { ...account, cwd: '/' });
  return folder;
}

function makeTemplate(version: PostgresqlVersion, binaries: string, account: Account): string {
  const owner = account.uid ?? process.getuid?.() ?? 'user';
  const template = join(sharedTemporaryFolder(account), `explorerio-postgresql-template-${version}-${owner}`);
  return createOnce(template, (unfinished) => {
    mkdirSync(unfinished, { mode: 0o755 });
    const passwordFile = join(unfinished, 'password');
    writeFileSync(passwordFile, SUPERUSER.password);
    give(unfinished, account);
    const encoding = ['-E', 'UTF8', '--locale=C.UTF-8'];
    const login = ['-U', SUPERUSER.user, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256'];
    const made = spawnSync(
      join(binaries, 'initdb'),
      ['-D', join(unfinished, 'data'), ...encoding, ...login, '--no-sync', '--no-instructions'],
      { ...account, cwd: '/', encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(`initdb of PostgreSQL ${version}: ${made.error?.message ?? made.stderr}`);
  });
}

function give(path: string, account: Account): void {
  if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
}

let swept = false;

/** Once per process: stops and removes clusters whose owner is gone and whose watcher was killed as well. */
export function sweepStaleClusters(account: Account): void {
  if (swept) return;
  swept = true;
  const parent = sharedTemporaryFolder(account);
  for (const name of readdirSync(parent)) {
    if (name.startsWith(CLUSTER_PREFIX)) sweepCluster(join(parent, name));
  }
}

function sweepCluster(folder: string): void {
  const owner = pidIn(join(folder, 'owner'));
  if (owner === undefined || isAlive(owner)) return;
  const server = pidIn(join(folder, 'data', 'postmaster.pid'));
  if (server !== undefined && runsIn(server, join(folder, 'data'))) process.kill(server, 'SIGQUIT');
  rmSync(folder, { recursive: true, force: true });
}

// A process id may have been given to somebody else since; a server's working folder is its data folder.
function runsIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false; // it is gone, or is not ours
  }
}

function pidIn(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined; // no such file: another sweep was faster, or the cluster is being made
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
