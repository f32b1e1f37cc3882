import * as z from 'zod';
import { answer, integrationAnswer, pathParameter } from '../answer';
import { integration, integrationList } from '../answers';
import { readDocument } from '../body';
import { refuseOtherName, refuseReservedName } from '../documents';
import type { Operation } from '../operation';
import { flag, readQuery } from '../query';
import { expectedRevision } from '../revision';
import { patchIntegration } from './patch';

const IF_MATCH = {
  name: 'If-Match',
  description: 'The `ETag` the change is meant for; with another one stored it is refused. Absent: whatever is stored.',
};
const ETAG = { ETag: 'The revision, in quotes.' };
const DOCUMENT = { schema: 'document', description: 'The integration.', required: true } as const;
const one = { description: 'The integration.', schema: integration, headers: ETAG };

const removeQuery = z.strictObject({
  data: flag.meta({ description: 'Also remove everything the integration stored in the destination.' }).default(false),
});

/** Integrations: create, list, read, change, remove. */
export const integrationRoutes: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/integrations',
    id: 'createIntegration',
    tag: 'Integrations',
    summary: 'Create an integration',
    description: 'The name becomes the id. `health` and `stats` are refused as names: they are paths of the API.',
    headers: [
      {
        name: 'Idempotency-Key',
        description: 'Repeats of the request with the same key and body get the first answer; remembered for a day.',
      },
    ],
    body: DOCUMENT,
    answers: { 201: { ...one, headers: { ...ETAG, Location: 'Path of the integration.' } } },
    problems: ['invalid_config', 'already_exists', 'idempotency_conflict'],
    async handle(c, { service, idempotency }) {
      const document = await readDocument(c);
      refuseReservedName(document);
      return integrationAnswer(c, await idempotency.once(c, document, () => service.create(document)), 201);
    },
  },
  {
    method: 'get',
    path: '/api/integrations',
    id: 'listIntegrations',
    tag: 'Integrations',
    summary: 'List the integrations',
    answers: { 200: { description: 'All integrations.', schema: integrationList } },
    problems: [],
    handle: async (c, { service }) => answer(c, { integrations: await service.list() }),
  },
  {
    method: 'get',
    path: '/api/integrations/{id}',
    id: 'getIntegration',
    tag: 'Integrations',
    summary: 'Read an integration',
    answers: { 200: one },
    problems: ['not_found'],
    handle: async (c, { service }) => integrationAnswer(c, await service.get(pathParameter(c, 'id'))),
  },
  {
    method: 'put',
    path: '/api/integrations/{id}',
    id: 'replaceIntegration',
    tag: 'Integrations',
    summary: 'Replace an integration',
    description: 'A secret that is sent as `[secret]` keeps its stored value.',
    headers: [IF_MATCH],
    body: DOCUMENT,
    answers: { 200: one },
    problems: ['not_found', 'invalid_config', 'declared_in_file', 'revision_conflict'],
    async handle(c, { service }) {
      const id = pathParameter(c, 'id');
      const document = await readDocument(c);
      refuseOtherName(document, id);
      const revision = await expectedRevision(c, service, id);
      return integrationAnswer(c, await service.update(id, document, revision));
    },
  },
  {
    method: 'patch',
    path: '/api/integrations/{id}',
    id: 'changeIntegration',
    tag: 'Integrations',
    summary: 'Change parts of an integration',
    description: 'A JSON merge patch (RFC 7396): null removes a key, objects are merged, everything else is replaced.',
    headers: [IF_MATCH],
    body: {
      schema: 'patch',
      description: 'What to change.',
      required: true,
      mediaTypes: ['application/merge-patch+json', 'application/json'],
    },
    answers: { 200: one },
    problems: ['not_found', 'invalid_config', 'declared_in_file', 'revision_conflict'],
    handle: async (c, { service }) => integrationAnswer(c, await patchIntegration(c, service)),
  },
  {
    method: 'delete',
    path: '/api/integrations/{id}',
    id: 'deleteIntegration',
    tag: 'Integrations',
    summary: 'Remove an integration',
    description: 'What it stored in the destination is kept unless `data=true`. Refused while it is being synced.',
    query: removeQuery,
    headers: [IF_MATCH],
    answers: { 204: { description: 'It is removed.' } },
    problems: ['not_found', 'run_active', 'declared_in_file', 'revision_conflict'],
    async handle(c, { service }) {
      const id = pathParameter(c, 'id');
      const { data } = readQuery(c, removeQuery);
      const revision = await expectedRevision(c, service, id);
      const options = revision === undefined ? { data } : { data, revision };
      await service.remove(id, options);
      return c.body(null, 204);
    },
  },
];
