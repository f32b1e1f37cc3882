import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Integration } from '../core/service';
import { entityTag } from './revision';
import { toWire } from './wire';

/** Answers with a value of the core as JSON. */
export function answer(c: Context, value: unknown, status: ContentfulStatusCode = 200): Response {
  return c.body(JSON.stringify(toWire(value)), status, { 'Content-Type': 'application/json' });
}

/** Answers with an integration and its entity tag. */
export function integrationAnswer(c: Context, integration: Integration, status: 200 | 201 = 200): Response {
  c.header('ETag', entityTag(integration.revision));
  if (status === 201) c.header('Location', `/api/integrations/${encodeURIComponent(integration.id)}`);
  return answer(c, integration, status);
}

/** Where a run can be read. */
export function runLocation(run: string): string {
  return `/api/runs/${encodeURIComponent(run)}`;
}

/** The named parameter of the path. */
export function pathParameter(c: Context, name: 'id' | 'run' | 'record' | 'alert' | 'mute'): string {
  return c.req.param(name) ?? '';
}
