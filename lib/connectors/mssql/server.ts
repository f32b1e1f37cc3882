import type { Network } from '../../core/network';
import { Sessions } from '../shared/sql/sessions';
import type { SqlServer } from '../shared/sql/source';
import { check } from './check';
import type { MssqlConfig } from './config';
import { dialectOf } from './dialect';
import { relationNamed, selectedRelations } from './discover';
import { endpointOf } from './endpoint';
import { openSession } from './session';
import { OwnMoments } from './snapshot';
import type { MssqlColumn } from './types';

/** A server as the configuration describes it. */
export function serverOf(config: MssqlConfig, network?: Network): SqlServer<MssqlColumn> {
  const endpoint = endpointOf(config, network);
  const sessions = new Sessions<MssqlColumn>(endpoint.maxConnections, () => openSession(endpoint));
  const dialect = dialectOf(config);
  return {
    dialect,
    sessions,
    snapshots: new OwnMoments(sessions, dialect),
    check: (signal) => check(endpoint, config, signal),
    relations: (session) => selectedRelations(session, config),
    relation: (session, stream) => relationNamed(session, stream, config),
    // No snapshot outlives a part, so an altered table is read again as any other fault that passes.
    isChangedTable: () => false,
  };
}
