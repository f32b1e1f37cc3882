import * as z from 'zod';
import { invalidConfig } from '../../core/config';
import type { FieldValues, QuarantineFilter } from '../../core/quarantine';
import { answer, pathParameter } from '../answer';
import { named } from '../answers';
import { droppedRecords, quarantinedRecord, quarantineList, replayResult } from '../answers-quarantine';
import { readBody } from '../body';
import type { Operation } from '../operation';
import { pageOf, pageQuery, readQuery } from '../query';

/** As many as fit into an answer of API Gateway within its time. */
const MOST_REPLAYED = 1000;

const text = (description: string) => z.string().min(1).max(1000).meta({ description }).optional();
const time = (description: string) => z.iso.datetime({ offset: true }).meta({ description }).optional();
const entryId = z.string().regex(/^\d{1,18}$/);

const conditions = {
  stream: text('Only records of this stream.'),
  field: text('Only records of which a reason names this field.'),
  rule: text('Only records of which a reason names this rule or step.'),
  reason: text('Only records whose reasons hold this text, in any case.'),
  run: text('Only records of this run.'),
  since: time('Only records that were put there at this time or later.'),
  until: time('Only records that were put there before this time.'),
};

const queried = { ...conditions, id: text('Only the record of this id.') };

const listQuery = pageQuery.extend(queried);

const replayBody = named(
  'ReplayRequest',
  z.strictObject({
    ...conditions,
    ids: z.array(entryId).min(1).max(MOST_REPLAYED).meta({ description: 'Only these.' }).optional(),
    dry_run: z.boolean().meta({ description: 'Only say what would become of each record.' }).default(false),
    limit: z.int().min(1).max(MOST_REPLAYED).meta({ description: 'How many at most.' }).default(500),
    after: entryId.meta({ description: '`next` of the answer before.' }).optional(),
  }),
);

const dropQuery = z.strictObject({
  ...queried,
  all: z.literal('true').meta({ description: 'Needed where no condition is given.' }).optional(),
});

const editBody = named(
  'RecordEdit',
  z.strictObject({
    fields: z
      .record(z.string(), z.unknown())
      .refine((fields) => Object.keys(fields).length > 0, { message: 'give at least one field' })
      .meta({ description: 'New values by column of the source, as the record shows them, or as text.' }),
  }),
);

const LINK = { Link: 'The next page, where there is one (`rel="next"`).' };

/** What can be done with records that could not be loaded. */
export const quarantineRoutes: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/integrations/{id}/quarantine',
    id: 'listQuarantine',
    tag: 'Syncs and runs',
    summary: 'List the records that could not be loaded, newest first',
    query: listQuery,
    answers: { 200: { description: 'One page.', schema: quarantineList, headers: LINK } },
    problems: ['not_found'],
    async handle(c, { service }) {
      const { limit, after, ...rest } = readQuery(c, listQuery);
      const query = { limit: limit + 1, ...(after !== undefined && { after }), ...filterOf(rest) };
      const { items: records, next } = pageOf(c, await service.quarantined(pathParameter(c, 'id'), query), limit);
      return answer(c, { records, next });
    },
  },
  {
    method: 'get',
    path: '/api/integrations/{id}/quarantine/{record}',
    id: 'getQuarantinedRecord',
    tag: 'Syncs and runs',
    summary: 'Read one record that could not be loaded',
    answers: { 200: { description: 'The record, and why it is there.', schema: quarantinedRecord } },
    problems: ['not_found'],
    handle: async (c, { service }) =>
      answer(c, await service.quarantinedRecord(pathParameter(c, 'id'), pathParameter(c, 'record'))),
  },
  {
    method: 'patch',
    path: '/api/integrations/{id}/quarantine/{record}',
    id: 'editQuarantinedRecord',
    tag: 'Syncs and runs',
    summary: 'Correct fields of a record that could not be loaded',
    description:
      'It stays in quarantine, and as old as it is, until it is replayed. Of its key only what is missing can be given.',
    body: { schema: editBody, description: 'What to correct.', required: true },
    answers: { 200: { description: 'The record as it is now.', schema: quarantinedRecord } },
    problems: ['not_found', 'invalid_config', 'config'],
    async handle(c, { service }) {
      const { fields } = await readBody(c, editBody);
      const [id, record] = [pathParameter(c, 'id'), pathParameter(c, 'record')];
      return answer(c, await service.editQuarantined(id, record, fields as FieldValues));
    },
  },
  {
    method: 'post',
    path: '/api/integrations/{id}/quarantine/replay',
    id: 'replayQuarantine',
    tag: 'Syncs and runs',
    summary: 'Send quarantined records through the steps and rules again, and load those that pass',
    description:
      'By the document as it is now, oldest first. A record is never loaded twice, and never over a newer version of it. Go on with `after` while there is a `next`.',
    body: { schema: replayBody, description: 'Which records; all by default.', required: false },
    answers: { 200: { description: 'What became of each record.', schema: replayResult } },
    problems: ['not_found', 'invalid_config'],
    async handle(c, { service }) {
      const { dry_run: dryRun, limit, after, ...filter } = await readBody(c, replayBody);
      const order = { filter: filter as QuarantineFilter, dryRun, limit, ...(after !== undefined && { after }) };
      return answer(c, await service.replayQuarantined(pathParameter(c, 'id'), order, c.req.raw.signal));
    },
  },
  {
    method: 'delete',
    path: '/api/integrations/{id}/quarantine',
    id: 'dropQuarantine',
    tag: 'Syncs and runs',
    summary: 'Drop quarantined records for ever',
    query: dropQuery,
    answers: { 200: { description: 'How many were dropped.', schema: droppedRecords } },
    problems: ['not_found', 'invalid_config'],
    async handle(c, { service }) {
      const { all, ...rest } = readQuery(c, dropQuery);
      const filter = filterOf(rest);
      if (all === undefined && Object.keys(filter).length === 0) throw needsCondition();
      return answer(c, { dropped: await service.dropQuarantined(pathParameter(c, 'id'), filter) });
    },
  },
];

function filterOf({ id, ...filter }: { readonly id?: string | undefined; readonly [name: string]: unknown }) {
  return { ...filter, ...(id !== undefined && { ids: [id] }) } as QuarantineFilter;
}

function needsCondition() {
  return invalidConfig([{ path: 'all', message: 'give a condition, or "true" to drop every record' }]);
}
