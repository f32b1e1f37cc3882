import { answer, pathParameter } from '../answer';
import { checkReport, plan, streamList, validation } from '../answers-about';
import { readDocument } from '../body';
import { refuseReservedName } from '../documents';
import type { Operation } from '../operation';

const DOCUMENT = { schema: 'document', description: 'An integration; it is not stored.', required: true } as const;
const report = {
  description: 'Each step of the test; `passed` is false when one failed.',
  schema: checkReport,
};
const streams = { description: 'The streams that the source offers.', schema: streamList };
const planned = { description: 'What a sync would do.', schema: plan };

/** Looks at a stored integration's source without changing anything. */
const storedRoutes: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/integrations/{id}/test',
    id: 'testIntegration',
    tag: 'Integrations',
    summary: 'Test the connection',
    answers: { 200: report },
    problems: ['not_found', 'invalid_config', 'config'],
    handle: async (c, { service }) => answer(c, await service.check(pathParameter(c, 'id'), c.req.raw.signal)),
  },
  {
    method: 'get',
    path: '/api/integrations/{id}/streams',
    id: 'listStreams',
    tag: 'Integrations',
    summary: 'Ask the source for its streams',
    answers: { 200: streams },
    problems: ['not_found', 'config'],
    handle: async (c, { service }) =>
      answer(c, { streams: await service.discover(pathParameter(c, 'id'), c.req.raw.signal) }),
  },
  {
    method: 'get',
    path: '/api/integrations/{id}/plan',
    id: 'planIntegration',
    tag: 'Integrations',
    summary: 'What a sync would do, and why',
    answers: { 200: planned },
    problems: ['not_found', 'config'],
    handle: async (c, { service }) => answer(c, await service.plan(pathParameter(c, 'id'), c.req.raw.signal)),
  },
];

/** The same for a document that is not stored. */
const documentRoutes: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/validate',
    id: 'validateDocument',
    tag: 'Documents',
    summary: 'Validate a document',
    body: DOCUMENT,
    answers: { 200: { description: 'The document is right.', schema: validation } },
    problems: ['invalid_config'],
    async handle(c, { service }) {
      const document = await readDocument(c);
      refuseReservedName(document);
      return answer(c, { valid: true, warnings: await service.validate(document) });
    },
  },
  {
    method: 'post',
    path: '/api/check',
    id: 'checkDocument',
    tag: 'Documents',
    summary: 'Test the connection of a document',
    body: DOCUMENT,
    answers: { 200: report },
    problems: ['invalid_config', 'config'],
    handle: async (c, { service }) => answer(c, await service.check(await readDocument(c), c.req.raw.signal)),
  },
  {
    method: 'post',
    path: '/api/discover',
    id: 'discoverDocument',
    tag: 'Documents',
    summary: 'Ask the source of a document for its streams',
    body: DOCUMENT,
    answers: { 200: streams },
    problems: ['invalid_config', 'config'],
    handle: async (c, { service }) =>
      answer(c, { streams: await service.discover(await readDocument(c), c.req.raw.signal) }),
  },
  {
    method: 'post',
    path: '/api/plan',
    id: 'planDocument',
    tag: 'Documents',
    summary: 'What a sync of a document would do, and why',
    body: DOCUMENT,
    answers: { 200: planned },
    problems: ['invalid_config', 'config'],
    handle: async (c, { service }) => answer(c, await service.plan(await readDocument(c), c.req.raw.signal)),
  },
];

/** Everything that looks at a source. */
export const connectionRoutes: readonly Operation[] = [...storedRoutes, ...documentRoutes];
