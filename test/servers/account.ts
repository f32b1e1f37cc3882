import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';

/** The user that a server runs as; empty when it runs as we do. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root: then `postgres`, or `nobody` where there is no such user. */
export function serverAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const uid = idOf(name, '-u');
    const gid = idOf(name, '-g');
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error('running as root, and there is neither a user postgres nor a user nobody to run a server as');
}

function idOf(name: string, option: '-u' | '-g'): number | undefined {
  try {
    return Number(execFileSync('id', [option, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined; // `id` exits with 1: no such user
  }
}

/** The folder for temporary data that `account` can reach. */
export function sharedTemporaryFolder(account: Account): string {
  return letsIn(tmpdir(), account) ? tmpdir() : '/tmp';
}

/** Whether every folder down to `path` can be entered by `account`. */
export function letsIn(path: string, account: Account): boolean {
  if (account.uid === undefined) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid } = statSync(folder);
    const entered = uid === account.uid ? mode & 0o100 : mode & 0o001;
    if (!entered) return false;
    if (folder === dirname(folder)) return true;
  }
}
