import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../../core/fault';
import type { Logger } from '../../core/log';
import type { Binaries } from './postgresql-binaries';
import type { ServerHome } from './postgresql-home';
import { writePrivate } from './private-files';

/** The only role of an embedded server, its superuser. */
export const SERVER_USER = 'explorerio';
/** The format of data that the packaged programs read. */
const MAJOR_VERSION = '18';

// Written into postgresql.conf, where the owner may change them.
const SETTINGS = {
  shared_buffers: '256MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // The demo source and tests of change capture use the same server.
  wal_level: 'logical',
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
};

/** Makes the server's data unless it is there. A killed attempt leaves nothing that is taken for data. */
export async function ensureCluster(home: ServerHome, binaries: Binaries, log: Logger): Promise<void> {
  const version = join(home.dataDirectory, 'PG_VERSION');
  if (existsSync(version)) return checkVersion(home.dataDirectory, readFileSync(version, 'utf8').trim());
  log.info('creating the embedded PostgreSQL server', { folder: home.dataDirectory });
  removeUnfinished(home.dataDirectory);
  const unfinished = `${home.dataDirectory}.${process.pid}.new`;
  mkdirSync(unfinished, { mode: 0o700 });
  give(unfinished, home);
  await initialise(unfinished, home, binaries);
  renameSync(unfinished, home.dataDirectory);
}

function checkVersion(dataDirectory: string, version: string): void {
  if (version === MAJOR_VERSION) return;
  throw new Fault(
    'config',
    'server_version',
    `starting the embedded PostgreSQL server: ${dataDirectory} is of version ${version}`,
    {
      hint: `This ExplorerIO has version ${MAJOR_VERSION}: dump the data with the older one, move the folder away and load it.`,
    },
  );
}

function removeUnfinished(dataDirectory: string): void {
  const parent = dirname(dataDirectory);
  for (const name of readdirSync(parent)) {
    const unfinished = name.startsWith(`${basename(dataDirectory)}.`) && /\.new(\.password)?$/.test(name);
    if (unfinished) rmSync(join(parent, name), { recursive: true });
  }
}

async function initialise(data: string, home: ServerHome, { initdb }: Binaries): Promise<void> {
  const passwordFile = `${data}.password`;
  writePrivate(passwordFile, home.password);
  give(passwordFile, home);
  const options = [
    `--username=${SERVER_USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // PostgreSQL's own C.UTF-8: the same on every system, whatever locales are installed.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    // Not --no-sync: a loss of power would break a server that has already said that rows are safe. One syncfs does
    // it in a fraction of the time that syncing a thousand files one by one takes on a slow disk.
    ...(process.platform === 'linux' ? ['--sync-method=syncfs'] : []),
    ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  try {
    await promisify(execFile)(initdb, ['-D', data, ...options], {
      ...home.account,
      cwd: '/',
      env: serverEnvironment(),
    });
  } catch (error) {
    rmSync(data, { recursive: true, force: true });
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Fault(
      'config',
      'server_not_created',
      `creating the embedded PostgreSQL server in ${data}: ${stderr?.trim() || message}`,
      {
        hint: 'See whether the disk has space and the folder can be written; or name a PostgreSQL server of your own as the destination.',
        cause: error,
      },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** Nothing of ours: PGDATA, PGPORT, a locale or a preloaded library would reach into the server. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot } = process.env;
  return { ...(PATH !== undefined && { PATH }), ...(SystemRoot !== undefined && { SystemRoot }), LC_ALL: 'C' };
}

function give(path: string, { account }: ServerHome): void {
  if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
}
