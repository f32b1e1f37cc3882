import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import Database from 'libsql';
import { Fault } from '../../core/fault';
import { createPrivate, writePrivate } from './private-files';

/** Where an ExplorerIO keeps its data, unless told otherwise. */
export const DEFAULT_DATA_FOLDER = '.explorerio';

/** The process that has a data folder open. */
export interface Owner {
  readonly pid: number;
  /** Where its API listens, once it does. */
  readonly url?: string;
}

/** A data folder that this process alone has open. */
export interface DataFolder {
  readonly path: string;
  /** Path of the SQLite file. */
  readonly statePath: string;
  /** Tells other processes where this one's API is. */
  announce(url: string): void;
  close(): void;
}

const LOCK = 'lock.db';
const OWNER = 'owner.json';
// Longer than a look of readOwner at the lock, shorter than anybody notices.
const LOCK_WAIT_MS = 300;
const OWNER_WAIT_MS = 1000;

/**
 * Opens or creates a data folder for this process alone, until it closes it or ends in whatever way.
 * @throws Fault `config`/`data_folder_in_use`
 */
export async function openDataFolder(given = DEFAULT_DATA_FOLDER): Promise<DataFolder> {
  const path = resolve(given);
  createDataFolder(path);
  const unlock = lock(path);
  if (unlock === undefined) throw inUse(path, await ownerOfLocked(path));
  const owner = join(path, OWNER);
  writePrivate(owner, JSON.stringify({ pid: process.pid }));
  return {
    path,
    statePath: join(path, 'state.db'),
    announce: (url) => writePrivate(owner, JSON.stringify({ pid: process.pid, url })),
    close: () => {
      rmSync(owner, { force: true });
      unlock();
    },
  };
}

/** The process that has the folder open now; `undefined` when there is none. */
export function readOwner(given = DEFAULT_DATA_FOLDER): Owner | undefined {
  const path = resolve(given);
  // What a killed process wrote stays; only the lock tells whether it still runs.
  return existsSync(join(path, LOCK)) && isLocked(path) ? ownerIn(path) : undefined;
}

/** Creates a data folder unless it is there, without opening it. @throws Fault `config`/`data_folder_unusable` */
export function createDataFolder(path: string): void {
  try {
    // As root the embedded server runs as another user, who has to get through to its own folder, but need not look.
    mkdirSync(path, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    // The folder holds passwords; it must not end in a repository by accident.
    if (!existsSync(join(path, '.gitignore'))) writeFileSync(join(path, '.gitignore'), '*\n');
    createPrivate(join(path, LOCK));
  } catch (error) {
    throw new Fault('config', 'data_folder_unusable', `opening the data folder ${path}: ${(error as Error).message}`, {
      hint: 'Choose a data folder that the user running ExplorerIO may create and write.',
      cause: error,
    });
  }
}

/**
 * The lock is a transaction of SQLite that is never ended: the operating system drops it with the process, however that
 * ends, so nothing has to be cleaned up or guessed from process ids. Gives how to unlock; `undefined` when it is taken.
 */
function lock(path: string): (() => void) | undefined {
  const connection = openLock(path);
  try {
    connection.pragma(`busy_timeout = ${LOCK_WAIT_MS}`);
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection.close();
    if (isBusy(error)) return undefined;
    throw unusable(path, error);
  }
  return () => {
    connection.exec('ROLLBACK');
    connection.close();
  };
}

function openLock(path: string): Database.Database {
  try {
    return new Database(join(path, LOCK));
  } catch (error) {
    throw unusable(path, error);
  }
}

function isLocked(path: string): boolean {
  const connection = openLock(path);
  try {
    connection.prepare('SELECT count(*) FROM sqlite_master').all();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw unusable(path, error);
  } finally {
    connection.close();
  }
}

function isBusy(error: unknown): boolean {
  return String((error as NodeJS.ErrnoException).code).startsWith('SQLITE_BUSY');
}

function unusable(path: string, error: unknown): Fault {
  const hint = 'Let the user that runs ExplorerIO read and write the files of the data folder.';
  const message = `locking the data folder ${path}: ${(error as Error).message}`;
  return new Fault('config', 'data_folder_unusable', message, { hint, cause: error });
}

/** The owner may have locked a moment ago and not yet written who it is; what stands there is then of a dead process. */
async function ownerOfLocked(path: string): Promise<Owner | undefined> {
  for (let waited = 0; waited < OWNER_WAIT_MS; waited += 50) {
    const owner = ownerIn(path);
    if (owner !== undefined && isAlive(owner.pid)) return owner;
    await setTimeout(50);
  }
  return undefined;
}

function ownerIn(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(path, OWNER), 'utf8')) as Owner;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(path: string, owner: Owner | undefined): Fault {
  const who = owner === undefined ? 'another process' : `process ${owner.pid}`;
  const serves = owner?.url === undefined ? '' : `, which serves ${owner.url}`;
  const stop = owner === undefined ? 'stop it' : `stop it (kill ${owner.pid})`;
  const first = owner?.url === undefined ? 'Wait until it ends' : `Use it at ${owner.url}`;
  return new Fault('config', 'data_folder_in_use', `opening the data folder ${path}: it is in use by ${who}${serves}`, {
    hint: `${first}, ${stop}, or choose another data folder.`,
  });
}
