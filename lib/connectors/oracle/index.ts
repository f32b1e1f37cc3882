import { connector } from '../../core/connector';
import { RelationalSource } from '../shared/sql/source';
import { classify } from './classify';
import { oracleConfig } from './config';
import { serverOf } from './server';

/** Oracle Database, by its driver in thin mode: no client of Oracle is needed. */
export const oracle = connector({
  type: 'oracle',
  title: 'Oracle Database (not verified against a real server)',
  modes: ['full', 'incremental'],
  config: oracleConfig,
  async open(config, { network }) {
    return new RelationalSource(serverOf(config, network));
  },
  classify,
});
