import type { Operation } from './operation';
import { aboutRoutes } from './routes/about';
import { connectionRoutes } from './routes/connections';
import { integrationRoutes } from './routes/integrations';
import { overviewRoutes } from './routes/overview';
import { syncRoutes } from './routes/syncs';

/** Every route. Fixed paths (`health`, `stats`) stand before `{id}`: the first match answers. */
export const OPERATIONS: readonly Operation[] = [
  ...overviewRoutes,
  ...integrationRoutes,
  ...connectionRoutes,
  ...syncRoutes,
  ...aboutRoutes,
];
