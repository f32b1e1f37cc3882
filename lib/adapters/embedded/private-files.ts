import { closeSync, openSync, renameSync, writeFileSync } from 'node:fs';

/** Makes an empty file for its owner alone, unless it is there. */
export function createPrivate(path: string): void {
  try {
    // Never opened when it is there: closing it again would drop the locks that this process has on it through SQLite.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Writes a file for its owner alone; a reader sees the old text or the new one, never a part. */
export function writePrivate(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}.new`;
  writeFileSync(unfinished, text, { mode: 0o600, flush: true });
  renameSync(unfinished, path);
}
