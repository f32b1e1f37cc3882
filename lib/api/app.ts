import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { type RequestIdVariables, requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import { Fault } from '../core/fault';
import type { Logger } from '../core/log';
import type { Secret } from '../core/secret';
import type { Service } from '../core/service';
import { accessLog } from './access-log';
import { contentTypeGuard, hostGuard, keyGuard, originGuard, rateGuard, unless } from './guards';
import { IdempotencyKeys } from './idempotency';
import { type OpenApiDocument, openApiDocument } from './openapi';
import type { Workings } from './operation';
import { OPERATIONS } from './operations';
import { errorHandler, refusal } from './problem';
import { noQuery, readQuery } from './query';
import { RateLimiter } from './rate-limit';
import { WEBHOOKS } from './routes/webhooks';

/** Bounds of what one client may send. */
export interface ApiLimits {
  /** Bytes of a body; 1 MiB by default. */
  readonly bodyBytes?: number;
  /** Requests a second of one client; 50 by default. */
  readonly perSecond?: number;
  /** Requests that one client may send at once; 100 by default. */
  readonly burst?: number;
}

/** What the API is made of. */
export interface ApiOptions {
  readonly service: Service;
  readonly version: string;
  readonly log: Logger;
  /** Without it no key is asked for: only for servers on loopback. */
  readonly apiKey?: Secret;
  /** Host names beside the loopback ones, with a port or for every port; `*` for any, which needs an API key. */
  readonly allowedHosts: readonly string[];
  readonly limits?: ApiLimits;
  /** Who sent a request, from what the server passes as environment; without it all share one rate limit. */
  readonly clientOf?: (environment: unknown) => string | undefined;
  /** Aborts when the server is about to stop. */
  readonly stopping?: AbortSignal;
  /** How long a request may wait for a run, where what stands in front gives up; no limit by default. */
  readonly longestWaitMs?: number;
  /** Milliseconds of a clock that never goes back, for tests. */
  readonly now?: () => number;
}

type Environment = { Variables: RequestIdVariables };

/** The whole HTTP API: requests in, responses out, wherever the server is. */
export function createApi(options: ApiOptions): Hono<Environment> {
  const { log, apiKey, allowedHosts } = options;
  const now = options.now ?? (() => performance.now());
  if (allowedHosts.includes('*') && apiKey === undefined) {
    throw new Fault('config', 'api_key_required', 'starting the API: every host is allowed but there is no API key', {
      hint: 'Set an API key, or name the hosts that the API answers for.',
    });
  }
  const app = new Hono<Environment>({ strict: false });
  app.onError(errorHandler(log));
  app.notFound((c) =>
    refusal(c, 'unknown_route', 'finding the route: there is none with this path', {
      hint: 'GET /api/docs lists every route.',
    }).getResponse(),
  );
  app.use(accessLog(log, now), requestId(), secureHeaders(HEADERS), noStore);
  app.use(methodNotAllowed({ app, onMethodNotAllowed }));
  app.use(unless(isSigned, hostGuard(allowedHosts)));
  app.use(rateGuard(rateLimiter(options.limits, now), (c) => options.clientOf?.(c.env) ?? 'everybody'));
  app.use(unless(isSigned, originGuard()));
  if (apiKey !== undefined) app.use(unless(isSigned, keyGuard(apiKey, isPublic)));
  app.use(unless(isSigned, contentTypeGuard()), bodyGuard(options.limits?.bodyBytes ?? MEBIBYTE));
  serveOperations(app, workings(options, now));
  return app;
}

const MEBIBYTE = 1024 * 1024;

const HEADERS = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
  },
  // Whether it is reached by TLS is known to whatever stands in front, not to us.
  strictTransportSecurity: false,
  xFrameOptions: 'DENY',
  overwrite: false,
};

async function noStore(c: Context, next: () => Promise<void>): Promise<void> {
  await next();
  c.res.headers.set('Cache-Control', 'no-store');
}

function onMethodNotAllowed(c: Context, methods: readonly string[]): Response {
  return refusal(c, 'method_not_allowed', `finding the route: this path does not take ${c.req.method}`, {
    hint: `It takes ${methods.join(', ')}.`,
    headers: { Allow: methods.join(', ') },
  }).getResponse();
}

function rateLimiter(limits: ApiLimits | undefined, now: () => number): RateLimiter {
  return new RateLimiter({ perSecond: limits?.perSecond ?? 50, burst: limits?.burst ?? 100 }, now);
}

const PUBLIC_PATHS = new Set(OPERATIONS.filter((operation) => operation.isPublic).map((operation) => operation.path));

function isPublic(c: Context): boolean {
  return (c.req.method === 'GET' || c.req.method === 'HEAD') && PUBLIC_PATHS.has(c.req.path);
}

/** Programs of others call it, by whatever name this server has for them: only its signature says who they are. */
function isSigned(c: Context): boolean {
  return c.req.path.startsWith(WEBHOOKS);
}

function bodyGuard(maxSize: number) {
  const onError = (c: Context) =>
    refusal(c, 'payload_too_large', `reading the body: it is larger than ${maxSize} bytes`, {
      hint: 'Send a smaller document.',
    }).getResponse();
  return bodyLimit({ maxSize, onError });
}

function workings(options: ApiOptions, now: () => number): Workings {
  const { service, version } = options;
  let document: OpenApiDocument | undefined;
  return {
    service,
    version,
    idempotency: new IdempotencyKeys(now),
    patience: (request) => patience(options, request),
    async openApi() {
      document ??= openApiDocument(OPERATIONS, { version, connectors: await service.connectors() });
      return document;
    },
  };
}

function patience({ stopping, longestWaitMs }: ApiOptions, request: Request): AbortSignal {
  const ends = [request.signal, ...(stopping ? [stopping] : [])];
  return AbortSignal.any(longestWaitMs === undefined ? ends : [...ends, AbortSignal.timeout(longestWaitMs)]);
}

function serveOperations(app: Hono<Environment>, workings: Workings): void {
  for (const operation of OPERATIONS) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ':$1') + (operation.hasRest ? '{.+}' : '');
    app.on(operation.method.toUpperCase(), path, async (c) => {
      try {
        readQuery(c, operation.query ?? noQuery);
        return await operation.handle(c, workings);
      } catch (error) {
        // Hono hands only what it knows as an Error to its error handler.
        if (error instanceof Error) throw error;
        throw new Fault('bug', 'unexpected_error', String(error), { cause: error });
      }
    });
  }
}
