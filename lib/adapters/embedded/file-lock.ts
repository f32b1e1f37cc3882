import { setTimeout } from 'node:timers/promises';
import Database from 'libsql';
import { Fault } from '../../core/fault';
import { createPrivate } from './private-files';

const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/**
 * Does `work` while nobody else does work under the same path, in this process or another. As with the data folder, the
 * lock is a transaction of SQLite, which the operating system drops with the process, however that ends.
 * @throws Fault `transient`/`file_busy`
 */
export async function whileLocked<T>(path: string, doing: string, work: () => Promise<T>): Promise<T> {
  const connection = await locked(path, doing);
  try {
    return await work();
  } finally {
    connection.exec('ROLLBACK');
    connection.close();
  }
}

async function locked(path: string, doing: string): Promise<Database.Database> {
  for (let waited = 0; ; waited += LOOK_AGAIN_MS) {
    const connection = tryLock(path, doing);
    if (connection !== undefined) return connection;
    if (waited >= PATIENCE_MS) {
      throw new Fault('transient', 'file_busy', `${doing}: somebody else is changing it`, { hint: 'Try again.' });
    }
    await setTimeout(LOOK_AGAIN_MS);
  }
}

function tryLock(path: string, doing: string): Database.Database | undefined {
  let connection: Database.Database | undefined;
  try {
    createPrivate(path);
    connection = new Database(path);
    connection.pragma('busy_timeout = 1');
    connection.exec('BEGIN EXCLUSIVE');
    return connection;
  } catch (error) {
    connection?.close();
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code.startsWith('SQLITE_BUSY')) return undefined;
    throw new Fault('config', 'file_not_writable', `${doing}: ${message}`, {
      hint: 'Let the user that runs this command write the folder of the file.',
      cause: error,
    });
  }
}
