import { type Connector, connector } from '../../core/connector';
import { RelationalSource } from '../shared/sql/source';
import { classify } from './classify';
import { mysqlConfig } from './config';
import { serverOf } from './server';

/** The connector under one of its names. */
export function mysqlConnector(type: string, title: string): Connector {
  return connector({
    type,
    title,
    modes: ['full', 'incremental'],
    config: mysqlConfig,
    async open(config, { network }) {
      return new RelationalSource(serverOf(config, network));
    },
    classify,
  });
}
