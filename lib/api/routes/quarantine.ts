import * as z from 'zod';
import { invalidConfig } from '../../core/config';
import type { QuarantineFilter } from '../../core/quarantine';
import { answer, pathParameter } from '../answer';
import { named } from '../answers';
import { readBody } from '../body';
import type { Operation } from '../operation';
import { readQuery } from '../query';

/** As many as fit into an answer of API Gateway within its time. */
const MOST_REPLAYED = 1000;

const text = (description: string) => z.string().min(1).max(1000).meta({ description }).optional();
const time = (description: string) => z.iso.datetime({ offset: true }).meta({ description }).optional();

const conditions = {
  stream: text('Only records of this stream.'),
  field: text('Only records whose first reason names this field.'),
  rule: text('Only records whose first reason names this rule or step.'),
  reason: text('Only records whose reason holds this text, in any case.'),
  run: text('Only records of this run.'),
  since: time('Only records that were put there at this time or later.'),
  until: time('Only records that were put there before this time.'),
};

const replayBody = named(
  'ReplayRequest',
  z.strictObject({
    ...conditions,
    ids: z
      .array(z.string().regex(/^\d{1,18}$/))
      .min(1)
      .max(MOST_REPLAYED)
      .meta({ description: 'Only these.' })
      .optional(),
    dry_run: z.boolean().meta({ description: 'Only say what would become of each record.' }).default(false),
    limit: z.int().min(1).max(MOST_REPLAYED).meta({ description: 'How many at most.' }).default(500),
    after: z
      .string()
      .regex(/^\d{1,18}$/)
      .meta({ description: '`next` of the answer before.' })
      .optional(),
  }),
);

const dropQuery = z.strictObject({
  ...conditions,
  id: text('Only the record of this id.'),
  all: z.literal('true').meta({ description: 'Needed where no condition is given.' }).optional(),
});

const reason = z.object({ message: z.string(), field: z.string().optional(), rule: z.string().optional() });

/** What a replay came to. */
export const replayResult = named(
  'ReplayResult',
  z.object({
    outcomes: z.array(
      z.object({
        id: z.string(),
        stream: z.string(),
        state: z.enum(['loaded', 'failed', 'superseded', 'postponed', 'left_out']).meta({
          description:
            '`failed` stays, with new reasons; `superseded`: the store holds a newer version, so the entry was removed; `postponed`: a load of the stream is not published yet; `left_out`: by a filter.',
        }),
        reasons: z.array(reason),
      }),
    ),
    next: z.string().meta({ description: '`after` of the next request; absent when all were seen.' }).optional(),
  }),
);

const dropped = named('DroppedRecords', z.object({ dropped: z.int() }));

/** What can be done with records that could not be loaded. */
export const quarantineRoutes: readonly Operation[] = [
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
    answers: { 200: { description: 'How many were dropped.', schema: dropped } },
    problems: ['not_found', 'invalid_config'],
    async handle(c, { service }) {
      const { all, id, ...filter } = readQuery(c, dropQuery);
      const given = { ...filter, ...(id !== undefined && { ids: [id] }) } as QuarantineFilter;
      if (all === undefined && Object.keys(given).length === 0) throw needsCondition();
      return answer(c, { dropped: await service.dropQuarantined(pathParameter(c, 'id'), given) });
    },
  },
];

function needsCondition() {
  return invalidConfig([{ path: 'all', message: 'give a condition, or "true" to drop every record' }]);
}
