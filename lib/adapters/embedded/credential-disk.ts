import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';
import { Fault } from '../../core/fault';

/** A file as it was read. */
export interface WholeFile {
  readonly text: string;
  /** Another one when the file has changed. */
  readonly stamp: string;
  readonly warnings: readonly string[];
}

const LARGEST = 8 * 1024 * 1024;
const OTHERS = 0o077;

/** What changes with a file; empty when it is not there. */
export async function fileStamp(path: string): Promise<string> {
  try {
    return stampOf(await stat(path, { bigint: true }));
  } catch (error) {
    if (isAbsent(error)) return '';
    throw diskFault(`looking at ${path}`, error);
  }
}

/** Reads a file of credentials; `undefined` when it is not there. `guard` is asked where it really is. @throws Fault */
export async function readWhole(path: string, guard?: (path: string) => void): Promise<WholeFile | undefined> {
  const doing = `reading the credentials in ${path}`;
  let handle: FileHandle | undefined;
  try {
    const place = await realpath(path);
    guard?.(place);
    // Not to wait where a pipe stands in its place.
    handle = await open(place, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await handle.stat({ bigint: true });
    if (!found.isFile()) throw unusable(doing, 'it is no file');
    if (found.size > LARGEST) throw unusable(doing, `it is larger than ${LARGEST} bytes`);
    const mode = Number(found.mode) & 0o777;
    const isOpen = process.platform !== 'win32' && (mode & OTHERS) !== 0;
    const warnings = isOpen ? [`others may read or change ${path} (mode ${mode.toString(8)}): chmod 600 it`] : [];
    return { text: await handle.readFile('utf8'), stamp: stampOf(found), warnings };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error instanceof Fault ? error : diskFault(doing, error);
  } finally {
    await handle?.close();
  }
}

/**
 * Writes a file for its owner alone. Whoever reads it sees the old text or the new one, also after the power was lost.
 * The file stays that of its owner, also when root changes it.
 */
export async function replaceWhole(path: string, text: string): Promise<void> {
  const doing = `writing the credentials in ${path}`;
  try {
    const place = await realpath(path).catch((error) => {
      if (isAbsent(error)) return path;
      throw error;
    });
    const { dir, base } = parse(place);
    const unfinished = join(dir, `.${base}.${randomBytes(6).toString('hex')}.new`);
    try {
      await writeDurably(unfinished, text, await ownerOf(place));
      await rename(unfinished, place);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    await syncFolder(dirname(place));
  } catch (error) {
    throw diskFault(doing, error);
  }
}

type FileOwner = { readonly uid: number; readonly gid: number };

async function writeDurably(path: string, text: string, owner: FileOwner | undefined): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    if (owner !== undefined && process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function ownerOf(path: string): Promise<FileOwner | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function stampOf(found: { readonly mtimeNs: bigint; readonly size: bigint; readonly ino: bigint }): string {
  return `${found.mtimeNs}/${found.size}/${found.ino}`;
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unusable(doing: string, reason: string): Fault {
  return new Fault('config', 'credentials_unreadable', `${doing}: ${reason}`, { hint: 'Name another file.' });
}

function diskFault(doing: string, error: unknown): Fault {
  const { code, message } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new Fault(
    isFull ? 'transient' : 'config',
    isFull ? 'disk_full' : 'credentials_unreadable',
    `${doing}: ${code ?? message}`,
    {
      hint: isFull
        ? 'Free space on the disk. The file is as it was.'
        : 'Let the user that runs ExplorerIO read and write the file and its folder.',
      cause: error,
    },
  );
}
