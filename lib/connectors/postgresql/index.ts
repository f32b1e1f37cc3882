import { connector } from '../../core/connector';
import { classify } from './classify';
import { postgresqlConfig } from './config';
import { endpointOf } from './endpoint';
import { PostgresqlSource } from './source';

/** PostgreSQL 13 and later, and what speaks its protocol and has its catalog. */
export const postgresql = connector({
  type: 'postgresql',
  title: 'PostgreSQL',
  modes: ['full', 'incremental', 'changes'],
  config: postgresqlConfig,
  async open(config, { network, follower }) {
    return new PostgresqlSource(config, endpointOf(config.connection, network), follower);
  },
  classify,
});
