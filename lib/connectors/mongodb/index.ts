import { connector } from '../../core/connector';
import { classify } from './classify';
import { mongodbConfig } from './config';
import { endpointOf } from './endpoint';
import { MongodbSource } from './source';

/** MongoDB 4.4 and later, and what speaks its protocol. */
export const mongodb = connector({
  type: 'mongodb',
  title: 'MongoDB',
  modes: ['full', 'incremental', 'changes'],
  config: mongodbConfig,
  async open(config, { network, follower }) {
    return new MongodbSource(config, endpointOf(config.connection, network), follower !== undefined);
  },
  classify,
});
