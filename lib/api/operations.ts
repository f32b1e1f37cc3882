import type { Operation } from './operation';
import { aboutRoutes } from './routes/about';
import { alertRoutes } from './routes/alerts';
import { connectionRoutes } from './routes/connections';
import { integrationRoutes } from './routes/integrations';
import { notificationRoutes } from './routes/notifications';
import { overviewRoutes } from './routes/overview';
import { quarantineRoutes } from './routes/quarantine';
import { schemaRoutes } from './routes/schemas';
import { searchRoutes } from './routes/search';
import { syncRoutes } from './routes/syncs';
import { webhookRoutes } from './routes/webhooks';

/** Every route. Fixed paths (`health`, `stats`) stand before `{id}`: the first match answers. */
export const OPERATIONS: readonly Operation[] = [
  ...overviewRoutes,
  ...integrationRoutes,
  ...connectionRoutes,
  ...syncRoutes,
  ...webhookRoutes,
  ...quarantineRoutes,
  ...schemaRoutes,
  ...searchRoutes,
  ...alertRoutes,
  ...notificationRoutes,
  ...aboutRoutes,
];
