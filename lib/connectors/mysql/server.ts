import type { Network } from '../../core/network';
import { Sessions } from '../shared/sql/sessions';
import type { SqlServer } from '../shared/sql/source';
import { readCatalog } from './catalog';
import { check } from './check';
import { isChangedTable } from './classify';
import type { MysqlConfig } from './config';
import { dialectOf } from './dialect';
import { selectedRelations, typeOptions } from './discover';
import { type Endpoint, endpointOf } from './endpoint';
import { relationOf, tableMissing } from './relation';
import { openSession } from './session';
import { MysqlSnapshots } from './snapshot';
import type { MysqlColumn } from './types';

/** A server as the configuration describes it. */
export function serverOf(config: MysqlConfig, network?: Network): SqlServer<MysqlColumn> {
  return serverAt(endpointOf(config.connection, network), config);
}

/** The server at an endpoint. */
export function serverAt(endpoint: Endpoint, config: MysqlConfig): SqlServer<MysqlColumn> {
  const { maxConnections, database } = endpoint;
  const sessions = new Sessions<MysqlColumn>(maxConnections, () => openSession(endpoint));
  const options = typeOptions(config);
  return {
    dialect: dialectOf(config),
    sessions,
    snapshots: new MysqlSnapshots(sessions, maxConnections),
    check: (signal) => check(endpoint, config, signal),
    relations: (session) => selectedRelations(session, endpoint, config),
    async relation(session, stream) {
      const [table] = await readCatalog(session, database, stream);
      if (table === undefined) throw tableMissing(stream);
      return relationOf(database, table, options);
    },
    isChangedTable,
  };
}
