import Database from 'libsql';
import { Fault, type FaultKind, toFault } from '../../core/fault';
import { MIGRATIONS } from './migrations';
import { createPrivate } from './private-files';

type Value = string | number | null;
type Statement = Database.Statement<unknown[]>;

/** The SQLite file with state and queue. All calls are synchronous, so that none is ever seen half done. */
export class StateDatabase {
  readonly #connection: Database.Database;
  readonly #statements = new Map<string, Statement>();

  constructor(connection: Database.Database) {
    this.#connection = connection;
  }

  /** The rows of a statement; also of one that writes and says RETURNING. */
  all<Row>(doing: string, sql: string, ...values: Value[]): Row[] {
    // Not get(): libsql adds a key of its own to the row that it gives.
    return guarded(doing, () => this.#prepare(sql).all(...values) as Row[]);
  }

  /** How many rows a statement changed. */
  run(doing: string, sql: string, ...values: Value[]): number {
    return guarded(doing, () => this.#prepare(sql).run(...values).changes);
  }

  /** Runs `work` in one transaction: all of it is durable when this returns, or nothing of it happened. */
  transaction<Result>(doing: string, work: () => Result): Result {
    return guarded(doing, () => inTransaction(this.#connection, work));
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Opens or creates the file and brings its tables up to date. @throws Fault `config` when it is newer or damaged */
export function openDatabase(path: string): StateDatabase {
  const doing = `opening the state file ${path}`;
  return guarded(doing, () => {
    createPrivate(path);
    const connection = new Database(path);
    try {
      configure(connection);
      migrate(connection, doing);
    } catch (error) {
      connection.close();
      throw error;
    }
    return new StateDatabase(connection);
  });
}

function configure(connection: Database.Database): void {
  connection.pragma('busy_timeout = 5000');
  connection.pragma('journal_mode = WAL');
  // FULL syncs at each commit: what was acknowledged also survives the loss of power, not only the end of the process.
  // It costs a fraction of a millisecond for each of the few writes that a batch of thousands of rows needs.
  connection.pragma('synchronous = FULL');
}

function migrate(connection: Database.Database, doing: string): void {
  const version = () => (connection.pragma('user_version') as { user_version: number }[])[0]?.user_version ?? 0;
  if (version() > MIGRATIONS.length) {
    throw new Fault('config', 'state_too_new', `${doing}: it was written by a newer version of ExplorerIO`, {
      hint: `Its format is ${version()} and this program knows up to ${MIGRATIONS.length}: install the newer version, or choose another data folder.`,
    });
  }
  if (version() === MIGRATIONS.length) return;
  inTransaction(connection, () => {
    for (const sql of MIGRATIONS.slice(version())) connection.exec(sql);
    connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

function inTransaction<Result>(connection: Database.Database, work: () => Result): Result {
  connection.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    connection.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has already rolled back after a full disk and the like.
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

function guarded<Result>(doing: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toFault(error, doing, classify);
  }
}

const DAMAGED = 'The file is damaged: restore it from a backup, or move it away to begin with an empty one.';
const FORBIDDEN = 'Let the user that runs ExplorerIO read and write the data folder and the files in it.';

const KNOWN: { readonly [code: string]: readonly [kind: FaultKind, code: string, hint: string] } = {
  SQLITE_BUSY: ['transient', 'state_busy', 'Another program has the state file open: close it.'],
  SQLITE_LOCKED: ['transient', 'state_busy', 'Another program has the state file open: close it.'],
  SQLITE_FULL: ['transient', 'disk_full', 'Free space on the disk of the data folder.'],
  ENOSPC: ['transient', 'disk_full', 'Free space on the disk of the data folder.'],
  SQLITE_IOERR: ['transient', 'state_unavailable', 'See whether the disk of the data folder works and has space.'],
  SQLITE_CORRUPT: ['config', 'state_damaged', DAMAGED],
  SQLITE_NOTADB: ['config', 'state_damaged', DAMAGED],
  SQLITE_READONLY: ['config', 'state_not_writable', FORBIDDEN],
  SQLITE_PERM: ['config', 'state_not_writable', FORBIDDEN],
  SQLITE_CANTOPEN: ['config', 'state_not_writable', FORBIDDEN],
  EACCES: ['config', 'state_not_writable', FORBIDDEN],
  EPERM: ['config', 'state_not_writable', FORBIDDEN],
  EROFS: ['config', 'state_not_writable', FORBIDDEN],
  EISDIR: ['config', 'state_not_writable', 'A folder stands where the state file belongs: move it away.'],
  ENOENT: ['config', 'state_not_writable', 'Create the data folder, or choose another one.'],
};

function classify(error: unknown): Fault | undefined {
  const { code = '', message } = error as NodeJS.ErrnoException;
  // Extended codes, such as SQLITE_IOERR_WRITE, say more than is needed here.
  const known = KNOWN[code] ?? KNOWN[code.split('_').slice(0, 2).join('_')];
  return known && new Fault(known[0], known[1], message, { hint: known[2] });
}
