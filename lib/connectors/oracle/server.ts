import type { Network } from '../../core/network';
import { Sessions } from '../shared/sql/sessions';
import type { SqlServer } from '../shared/sql/source';
import { check } from './check';
import { isChangedTable } from './classify';
import type { OracleConfig } from './config';
import { dialectOf } from './dialect';
import { relationNamed, selectedRelations } from './discover';
import { endpointOf } from './endpoint';
import { openSession } from './session';
import { Moments } from './snapshot';
import type { OracleColumn } from './types';

/** A server as the configuration describes it. */
export function serverOf(config: OracleConfig, network?: Network): SqlServer<OracleColumn> {
  const endpoint = endpointOf(config, network);
  const sessions = new Sessions<OracleColumn>(endpoint.maxConnections, () => openSession(endpoint));
  return {
    dialect: dialectOf(config),
    sessions,
    snapshots: new Moments(sessions),
    check: (signal) => check(endpoint, config, signal),
    relations: (session) => selectedRelations(session, config),
    relation: (session, stream) => relationNamed(session, stream, config),
    isChangedTable,
  };
}
