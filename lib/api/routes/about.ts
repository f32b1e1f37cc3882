import type { Context } from 'hono';
import * as z from 'zod';
import { answer } from '../answer';
import { about, liveness } from '../answers-about';
import type { Operation } from '../operation';
import { REFERENCE_POLICY, referencePage } from '../reference';

function asksForPage(c: Context): boolean {
  return (c.req.header('accept') ?? '').includes('text/html');
}

/** The API about itself. */
export const aboutRoutes: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/openapi.json',
    id: 'getOpenApi',
    tag: 'About',
    summary: 'The OpenAPI 3.1 document of this API',
    answers: { 200: { description: 'The document.', schema: z.record(z.string(), z.unknown()) } },
    problems: [],
    isPublic: true,
    async handle(c, { openApi }) {
      return c.body(JSON.stringify(await openApi()), 200, { 'Content-Type': 'application/json' });
    },
  },
  {
    method: 'get',
    path: '/api/docs',
    id: 'getReference',
    tag: 'About',
    summary: 'The reference of this API as a page',
    answers: { 200: { description: 'The page.', schema: z.string(), mediaType: 'text/html' } },
    problems: [],
    isPublic: true,
    async handle(c, { openApi }) {
      c.header('Content-Security-Policy', REFERENCE_POLICY);
      return c.html(referencePage(await openApi()));
    },
  },
  {
    method: 'get',
    path: '/',
    id: 'getAbout',
    tag: 'About',
    summary: 'Name, version and where to read more; browsers are led to the reference',
    answers: {
      200: { description: 'What this is.', schema: about },
      302: { description: 'To the reference, for browsers.', headers: { Location: 'The reference.' } },
    },
    problems: [],
    isPublic: true,
    async handle(c, { version }) {
      c.header('Vary', 'Accept');
      if (asksForPage(c)) return c.redirect('/api/docs');
      return answer(c, { name: 'ExplorerIO', version, reference: '/api/docs', openapi: '/api/openapi.json' });
    },
  },
  {
    method: 'get',
    path: '/healthz',
    id: 'getLiveness',
    tag: 'About',
    summary: 'Whether the server answers',
    answers: { 200: { description: 'It does.', schema: liveness } },
    problems: [],
    isPublic: true,
    handle: async (c) => answer(c, { status: 'ok' }),
  },
];
