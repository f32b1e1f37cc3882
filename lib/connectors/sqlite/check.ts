import type { CheckReport } from '../../core/check';
import { Fault } from '../../core/fault';
import { firstOutcome, readableOutcome, selectedOf } from '../shared/check-outcomes';
import { type Outcome, runSteps, type Step } from '../shared/check-steps';
import { sql } from '../shared/sql/fragment';
import { classify } from './classify';
import { loadDriver } from './driver';
import type { DatabaseFile } from './file';
import type { SqliteRelation } from './relation';
import type { SqliteSession } from './session';

/** What a connection test works with. */
export interface Checked {
  readonly file: DatabaseFile;
  readonly signal: AbortSignal;
  connect(): Promise<SqliteSession>;
  relations(session: SqliteSession): Promise<readonly SqliteRelation[]>;
}

interface Progress {
  session?: SqliteSession;
  relations?: readonly SqliteRelation[];
}

/** Tests the connection step by step; the steps after a failed one are skipped. */
export function check(checked: Checked): Promise<CheckReport> {
  const progress: Progress = {};
  return runSteps(stepsOf(checked, progress), {
    signal: checked.signal,
    classify,
    stop: () => progress.session?.destroy(),
    close: async () => progress.session?.close(),
  });
}

function stepsOf({ file, connect, relations }: Checked, progress: Progress): Step[] {
  return [
    {
      name: 'connect',
      async run() {
        await file.path();
        return `${file.name} is found`;
      },
    },
    {
      name: 'database',
      async run() {
        progress.session = await connect();
        return database(file, progress.session);
      },
    },
    {
      name: 'permissions',
      async run() {
        const all = await relations(sessionOf(progress));
        progress.relations = all.filter(({ info }) => info.unreadable === undefined);
        return permissions(all);
      },
    },
    { name: 'read', run: () => readOne(progress) },
  ];
}

function sessionOf({ session }: Progress): SqliteSession {
  if (session === undefined) throw new Fault('bug', 'no_session', 'nothing is open');
  return session;
}

async function database(file: DatabaseFile, session: SqliteSession): Promise<Outcome> {
  const { name } = await loadDriver();
  const [[version] = []] = await session.query(sql`select sqlite_version()`);
  const [[mode] = []] = await session.query(sql`pragma journal_mode`);
  const detail = `${file.name} is an SQLite database, journal mode ${mode}; read by SQLite ${version} (${name})`;
  if (mode === 'wal' || file.isFetched) return detail;
  return {
    warning: `${detail}; whoever writes to it waits while it is read`,
    hint: 'Let the program that writes it say "PRAGMA journal_mode = WAL": then neither waits for the other.',
  };
}

function permissions(all: readonly SqliteRelation[]): Outcome {
  return readableOutcome(
    all.map(({ info }) => selectedOf(info)),
    {
      things: 'tables and views',
      nothing: 'Check "tables", and that connection.path is the right file: an empty file is an empty database.',
      grant: 'Leave them out of "tables".',
    },
  );
}

async function readOne(progress: Progress): Promise<Outcome> {
  const [relation] = progress.relations ?? [];
  if (relation === undefined) return 'nothing to read';
  const rows = await sessionOf(progress).query(sql`select 1 from ${relation.source} limit 1`);
  return firstOutcome(relation.info.schema.stream, rows.length > 0);
}
