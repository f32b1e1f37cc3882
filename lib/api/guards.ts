import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import type { Secret } from '../core/secret';
import { requireJson } from './body';
import { refusal } from './problem';
import type { RateLimiter } from './rate-limit';

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];
const ANY_HOST = '*';

function requestHost(c: Context): string {
  return (c.req.header('host') ?? new URL(c.req.url).host).toLowerCase();
}

/** A guard for all requests but some. */
export function unless(isFree: (c: Context) => boolean, guard: MiddlewareHandler): MiddlewareHandler {
  return (c, next) => (isFree(c) ? next() : guard(c, next));
}

/**
 * Answers only for hosts that are ours: a page of another site that points its own name at this address (DNS
 * rebinding) is refused. `allowed` adds to the loopback names; an entry without a port is right for every port.
 */
export function hostGuard(allowed: readonly string[]): MiddlewareHandler {
  const names = new Set([...LOOPBACK_NAMES, ...allowed.map((name) => name.toLowerCase())]);
  return async (c, next) => {
    const host = requestHost(c);
    if (names.has(ANY_HOST) || names.has(host) || names.has(host.replace(/:\d+$/, ''))) return next();
    throw refusal(c, 'wrong_host', 'reading the header Host: this server does not answer for that host', {
      hint: 'Use 127.0.0.1 or localhost, or add the host name to the allowed hosts of the server.',
    });
  };
}

/** Refuses what a browser sends for a page of another origin, save that somebody follows a link to us. */
export function originGuard(): MiddlewareHandler {
  return async (c, next) => {
    if (sameOrigin(c) || isNavigation(c)) return next();
    throw refusal(c, 'cross_origin', 'reading the request: a browser sent it for a page of another origin', {
      hint: 'Call the API from a program or from a page of this server.',
    });
  };
}

function sameOrigin(c: Context): boolean {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const origin = c.req.header('origin');
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === requestHost(c);
}

function isNavigation(c: Context): boolean {
  const { method } = c.req;
  const follows = c.req.header('sec-fetch-mode') === 'navigate' && c.req.header('sec-fetch-dest') === 'document';
  return (method === 'GET' || method === 'HEAD') && follows && c.req.header('origin') === undefined;
}

/** Lets only those through who know the key. Public paths need none. */
export function keyGuard(key: Secret, isPublic: (c: Context) => boolean): MiddlewareHandler {
  const expected = sha256(key.reveal());
  return async (c, next) => {
    if (isPublic(c)) return next();
    const given = givenKey(c);
    // Hashes have one length, so that the comparison takes the same time whatever was given.
    if (given !== undefined && timingSafeEqual(sha256(given), expected)) return next();
    throw refusal(c, 'unauthorized', 'reading the API key: it is missing or wrong', {
      hint: 'Send the header "Authorization: Bearer KEY" or "X-API-Key: KEY".',
      headers: { 'WWW-Authenticate': 'Bearer realm="ExplorerIO"' },
    });
  };
}

function givenKey(c: Context): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
  return bearer ?? c.req.header('x-api-key');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Refuses clients that send more than the limiter allows. */
export function rateGuard(limiter: RateLimiter, clientOf: (c: Context) => string): MiddlewareHandler {
  return async (c, next) => {
    const waitMs = limiter.take(clientOf(c));
    if (waitMs === 0) return next();
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    throw refusal(c, 'rate_limited', 'taking the request: this client sent too many', {
      hint: `Wait ${seconds} s and send fewer requests at a time.`,
      headers: { 'Retry-After': String(seconds) },
    });
  };
}

/** Refuses a declared body of another type before anything is done, also where no body is expected. */
export function contentTypeGuard(): MiddlewareHandler {
  return async (c, next) => {
    const writes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
    const mediaTypes = ['application/json', ...(c.req.method === 'PATCH' ? ['application/merge-patch+json'] : [])];
    if (writes && c.req.header('content-type') !== undefined) requireJson(c, mediaTypes);
    return next();
  };
}
