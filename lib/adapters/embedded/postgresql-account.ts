import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Fault } from '../../core/fault';

/** The user that the server runs as; empty when it is the one that we run as. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * PostgreSQL refuses to run as root. Then it runs as the owner of the data that is there, or as `postgres`, or as
 * `nobody` where there is no such user.
 */
export function serverAccount(dataDirectory: string): Account {
  if (process.getuid?.() !== 0) return {};
  const data = statSync(dataDirectory, { throwIfNoEntry: false });
  if (data !== undefined && data.uid !== 0) return { uid: data.uid, gid: data.gid };
  for (const name of ['postgres', 'nobody']) {
    const uid = idOf(name, '-u');
    const gid = idOf(name, '-g');
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Fault('config', 'no_server_user', 'starting the embedded PostgreSQL server: it does not run as root', {
    hint: 'Run ExplorerIO as another user, or add a user postgres (useradd --system postgres).',
  });
}

function idOf(name: string, option: '-u' | '-g'): number | undefined {
  try {
    return Number(execFileSync('id', [option, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch (error) {
    if (typeof (error as { status?: unknown }).status === 'number') return undefined; // no such user
    throw error;
  }
}

/** Whether `account` can enter every folder down to `path`. Folders that are not there yet do not count. */
export function letsIn(path: string, account: Account): boolean {
  if (account.uid === undefined) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found?.isDirectory()) {
      const bit = found.uid === account.uid ? 0o100 : found.gid === account.gid ? 0o010 : 0o001;
      if ((found.mode & bit) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

/** A place of root's own that other users can reach, for what they cannot reach where it belongs. */
export function reachableFolder(account: Account): string {
  // The temporary folder may be emptied at a restart of the machine: only where there is nothing better.
  for (const parent of ['/var/lib', tmpdir(), '/tmp']) {
    const folder = join(parent, 'explorerio');
    if (letsIn(parent, account) && isOwn(folder)) return folder;
  }
  throw new Fault(
    'config',
    'no_server_folder',
    'starting the embedded PostgreSQL server: no folder is open to its user',
    {
      hint: 'Put the project and the data folder where other users may enter (not below /root), or do not run as root.',
    },
  );
}

/** Makes the folder. Somebody else's folder of that name could hold programs of his choice. */
function isOwn(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o711 });
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
  const { uid, mode } = statSync(folder);
  return uid === process.getuid?.() && (mode & 0o022) === 0 && (mode & 0o001) !== 0;
}
