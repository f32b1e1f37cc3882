import { connector } from '../../core/connector';
import { classify } from './classify';
import { couchdbConfig } from './config';
import { endpointOf } from './endpoint';
import { CouchdbSource } from './source';

/** Apache CouchDB, and what speaks its protocol. */
export const couchdb = connector({
  type: 'couchdb',
  title: 'Apache CouchDB',
  modes: ['full', 'incremental'],
  config: couchdbConfig,
  async open(config, { network }) {
    return new CouchdbSource(config, endpointOf(config.connection, network));
  },
  classify,
});
