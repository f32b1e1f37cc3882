import * as z from 'zod';
import { FINAL_STATES } from '../../core/run';
import { answer, pathParameter, runLocation } from '../answer';
import { named, redriveList, run, runDetails, runList, status } from '../answers';
import { readBody } from '../body';
import type { Operation } from '../operation';
import { pageOf, pageQuery, readQuery } from '../query';

const whenRunning = z
  .enum(['refuse', 'queue'])
  .meta({ description: 'While a run of the integration is going on: refuse this one, or let it wait.' });

const syncQuery = z.strictObject({ when_running: whenRunning.optional() });

const syncBody = named(
  'SyncRequest',
  z.strictObject({
    type: z
      .enum(['full', 'incremental'])
      .meta({ description: 'Everything, or what is new; by default as the document says.' })
      .optional(),
    async: z
      .boolean()
      .meta({
        description:
          'False: answer when the run has ended; in AWS after 25 seconds, with 202, when it has not. A client that goes away does not cancel it.',
      })
      .default(true),
    when_running: whenRunning.meta({ description: 'As the query parameter, which it overrides.' }).optional(),
  }),
);

const redriveBody = named(
  'RedriveRequest',
  z.strictObject({
    integration: z.string().min(1).meta({ description: 'Only dead letters of this integration.' }).optional(),
    run: z.string().min(1).meta({ description: 'Only dead letters of this run.' }).optional(),
  }),
);

const LINK = { Link: 'The next page, where there is one (`rel="next"`).' };
const LOCATION = { Location: 'Path of the run.' };

/** What an integration does: syncs, runs, status. */
export const syncRoutes: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/integrations/{id}/sync',
    id: 'startSync',
    tag: 'Syncs and runs',
    summary: 'Start a sync',
    query: syncQuery,
    headers: [{ name: 'Idempotency-Key', description: 'Two requests with the same key start one run.' }],
    body: { schema: syncBody, description: 'How to sync.', required: false },
    answers: {
      200: { description: 'With `async` false: the run, ended.', schema: runDetails, headers: LOCATION },
      202: { description: 'The run that was started or queued.', schema: run, headers: LOCATION },
    },
    problems: ['not_found', 'run_active', 'invalid_config', 'idempotency_conflict'],
    async handle(c, { service, idempotency, patience }) {
      const id = pathParameter(c, 'id');
      const query = readQuery(c, syncQuery);
      const body = await readBody(c, syncBody);
      const request = {
        trigger: 'manual',
        whenRunning: body.when_running ?? query.when_running ?? 'refuse',
        ...(body.type !== undefined && { type: body.type }),
      } as const;
      const start = (key: string | undefined) =>
        service.sync(id, key === undefined ? request : { ...request, idempotencyKey: key });
      const started = await idempotency.each(c, { ...request }, start);
      c.header('Location', runLocation(started.id));
      if (body.async) return answer(c, started, 202);
      const ended = await service.wait(started.id, patience(c.req.raw));
      return answer(c, ended, FINAL_STATES.includes(ended.state) ? 200 : 202);
    },
  },
  {
    method: 'get',
    path: '/api/integrations/{id}/status',
    id: 'getStatus',
    tag: 'Syncs and runs',
    summary: 'How an integration stands',
    answers: { 200: { description: 'State, progress, last run, freshness, last fault.', schema: status } },
    problems: ['not_found'],
    handle: async (c, { service }) => answer(c, await service.status(pathParameter(c, 'id'))),
  },
  {
    method: 'get',
    path: '/api/integrations/{id}/runs',
    id: 'listRuns',
    tag: 'Syncs and runs',
    summary: 'List the runs of an integration, newest first',
    query: pageQuery,
    answers: { 200: { description: 'One page.', schema: runList, headers: LINK } },
    problems: ['not_found'],
    async handle(c, { service }) {
      const { limit, after } = readQuery(c, pageQuery);
      const query = { limit: limit + 1, ...(after !== undefined && { after }) };
      const { items: runs, next } = pageOf(c, await service.runs(pathParameter(c, 'id'), query), limit);
      return answer(c, { runs, next });
    },
  },
  {
    method: 'get',
    path: '/api/runs/{run}',
    id: 'getRun',
    tag: 'Syncs and runs',
    summary: 'Read a run with its streams',
    answers: { 200: { description: 'The run.', schema: runDetails } },
    problems: ['not_found'],
    handle: async (c, { service }) => answer(c, await service.run(pathParameter(c, 'run'))),
  },
  {
    method: 'post',
    path: '/api/runs/redrive',
    id: 'redriveRuns',
    tag: 'Syncs and runs',
    summary: 'Take up again what ended in the dead letters',
    description:
      'For the time after the cause was mended. Repeating it starts no second run. A letter that something else is looking at is hidden for up to half a minute: ask again when one is missing.',
    body: { schema: redriveBody, description: 'Which dead letters; all of them by default.', required: false },
    answers: { 200: { description: 'What became of each letter.', schema: redriveList } },
    problems: ['not_found'],
    async handle(c, { service }) {
      const { integration, run: id } = await readBody(c, redriveBody);
      const query = { ...(integration !== undefined && { integration }), ...(id !== undefined && { run: id }) };
      return answer(c, { letters: await service.redrive(query) });
    },
  },
  {
    method: 'post',
    path: '/api/runs/{run}/cancel',
    id: 'cancelRun',
    tag: 'Syncs and runs',
    summary: 'Cancel a run',
    description: 'The run ends after the batches it is writing; a run that has ended stays as it is.',
    answers: { 202: { description: 'The run.', schema: run, headers: LOCATION } },
    problems: ['not_found'],
    async handle(c, { service }) {
      const cancelled = await service.cancel(pathParameter(c, 'run'));
      c.header('Location', runLocation(cancelled.id));
      return answer(c, cancelled, 202);
    },
  },
];
