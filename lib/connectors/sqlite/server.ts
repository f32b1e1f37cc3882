import { setImmediate } from 'node:timers/promises';
import { durationMs } from '../../core/duration';
import { globFilter } from '../../core/globs';
import type { Network } from '../../core/network';
import type { SqlSession } from '../shared/sql/session';
import { Sessions } from '../shared/sql/sessions';
import type { SqlServer } from '../shared/sql/source';
import { type CatalogTable, describeTable, listTables } from './catalog';
import { check } from './check';
import { generalResultOf } from './classify';
import type { SqliteColumn } from './columns';
import type { SqliteConfig } from './config';
import { dialect } from './dialect';
import { DatabaseFile } from './file';
import { type Look, Looks } from './look';
import { relationOf, type SqliteRelation, tableMissing, unreadableRelation, unusable } from './relation';
import { SqliteSession } from './session';
import { SqliteSnapshots } from './snapshot';

/** A file as it is read, and what was opened for it. */
export interface SqliteServer extends SqlServer<SqliteColumn> {
  readonly file: DatabaseFile;
}

type Session = SqlSession<SqliteColumn>;
type LookAt = (session: Session, table: CatalogTable) => Promise<Look>;

const DEFAULT_BUSY = '10s';
const DEFAULT_CONNECTIONS = 4;
/** SQLite's general error: here, that what a view or virtual table names is not there. */
const ERROR = 1;

/** The file that the configuration names. */
export function serverOf(config: SqliteConfig, network?: Network): SqliteServer {
  const { busy_timeout: busy = DEFAULT_BUSY, max_connections: most = DEFAULT_CONNECTIONS } = config.connection;
  const file = new DatabaseFile(config.connection, network);
  const connect = async () => SqliteSession.over(await file.open(), durationMs(busy));
  const sessions = new Sessions<SqliteColumn>(most, connect);
  const strictly = config.type_mismatch === 'fail';
  const looks = new Looks(strictly);
  const selected = globFilter(config.tables ?? []);
  const described = async (session: Session, listed: Parameters<typeof describeTable>[1], look: LookAt) => {
    try {
      const table = await describeTable(session, listed);
      return relationOf(table, await look(session, table), strictly);
    } catch (error) {
      if (listed.kind === 'table' || generalResultOf(error) !== ERROR) throw error;
      return unreadableRelation(listed.name, unusable(listed.name, error));
    }
  };
  const relations = async (session: Session): Promise<readonly SqliteRelation[]> => {
    const found: SqliteRelation[] = [];
    for (const listed of await listTables(session)) {
      if (!selected(listed.name)) continue;
      found.push(await described(session, listed, (...args) => looks.again(...args)));
      await setImmediate();
    }
    return [...found, ...missing(config, found)].sort(byName);
  };
  return {
    file,
    dialect,
    sessions,
    snapshots: new SqliteSnapshots(sessions, most),
    check: (signal) => check({ file, connect, relations, signal }),
    relations,
    async relation(session, stream) {
      const [listed] = await listTables(session, stream);
      if (listed === undefined) throw tableMissing(stream);
      const relation = await described(session, listed, (...args) => looks.known(...args));
      if (relation.info.unreadable) throw relation.info.unreadable;
      return relation;
    },
    // A snapshot of a file has its tables as they were.
    isChangedTable: () => false,
  };
}

/** Tables that the configuration names and the file does not have. */
function missing({ tables = [] }: SqliteConfig, found: readonly SqliteRelation[]): SqliteRelation[] {
  const names = new Set(found.map(({ info }) => info.schema.stream));
  const named = tables.filter((name) => !/[*?!]/.test(name) && !names.has(name));
  return named.map((name) => unreadableRelation(name, tableMissing(name)));
}

function byName(left: SqliteRelation, right: SqliteRelation): number {
  return left.info.schema.stream < right.info.schema.stream ? -1 : 1;
}
