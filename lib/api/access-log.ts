import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Logger } from '../core/log';

/** Writes one line a request: the pattern of its route, never its values. */
export function accessLog(log: Logger, now: () => number): MiddlewareHandler {
  return async (c, next) => {
    const start = now();
    await next();
    log.debug('request', {
      method: c.req.method,
      route: routeOf(c),
      status: c.res.status,
      ms: Math.round(now() - start),
      request_id: String(c.get('requestId')),
    });
  };
}

function routeOf(c: Context): string {
  const path = matchedRoutes(c).at(-1)?.path;
  return path === undefined || path.endsWith('*') ? 'unknown' : path;
}
