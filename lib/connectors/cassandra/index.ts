import { connector } from '../../core/connector';
import { classify } from './classify';
import { cassandraConfig } from './config';
import { endpointOf } from './endpoint';
import { CassandraSource } from './source';

/** Apache Cassandra 3.11 and later, and what speaks its protocol and has its catalog. */
export const cassandra = connector({
  type: 'cassandra',
  title: 'Apache Cassandra',
  modes: ['full', 'incremental'],
  config: cassandraConfig,
  async open(config, { log, network }) {
    return new CassandraSource(config, endpointOf(config.connection, log, network));
  },
  classify,
});
