import { connector } from '../../core/connector';
import { classify } from './classify';
import { sqliteConfig } from './config';
import { serverOf } from './server';
import { sourceOf } from './source';

/** Files of SQLite 3. */
export const sqlite = connector({
  type: 'sqlite',
  title: 'SQLite',
  modes: ['full', 'incremental'],
  config: sqliteConfig,
  async open(config, { network }) {
    return sourceOf(serverOf(config, network));
  },
  classify,
});
