import type { ConfigSpec } from '../../core/config';
import { type Connector, connector } from '../../core/connector';
import { RelationalSource } from '../shared/sql/source';
import { classify } from './classify';
import type { MssqlConfig } from './config';
import { serverOf } from './server';

/** The connector under one of its names. */
export function mssqlConnector(type: string, title: string, config: ConfigSpec<MssqlConfig>): Connector {
  return connector({
    type,
    title,
    modes: ['full', 'incremental'],
    config,
    async open(parsed, { network }) {
      return new RelationalSource(serverOf(parsed, network));
    },
    classify,
  });
}
