import type { DestinationDefinition } from '../../core/destination';
import { classify } from './classify';
import { type PostgresqlConfig, postgresqlConfig } from './config';
import { openPostgresql } from './destination';
import { openPostgresqlSearch } from './search';

/** PostgreSQL 13 to 18 as the place where records land. */
export const postgresql: DestinationDefinition<PostgresqlConfig> = {
  type: 'postgresql',
  title: 'PostgreSQL',
  config: postgresqlConfig,
  open: async (config, context, host) => openPostgresql(config, context, host),
  openSearch: async (config, host) => openPostgresqlSearch(config, host),
  classify,
};
