import * as z from 'zod';
import { answer, pathParameter } from '../answer';
import { acceptedSchema, named } from '../answers';
import { readBody } from '../body';
import type { Operation } from '../operation';

const acceptBody = named(
  'AcceptSchema',
  z.strictObject({
    streams: z
      .array(z.string().min(1))
      .min(1)
      .meta({ description: 'The streams whose new shape is accepted; all of them, by default.' })
      .optional(),
  }),
);

/** Shapes of streams that have changed. */
export const schemaRoutes: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/integrations/{id}/schema/accept',
    id: 'acceptSchema',
    tag: 'Syncs and runs',
    summary: 'Accept the new shape of streams',
    description:
      'For streams whose `schema_changes` is `pause` or `quarantine`: from the next sync on they have the shape that the source has then.',
    body: { schema: acceptBody, description: 'Which streams.', required: false },
    answers: { 200: { description: 'The streams that had another shape accepted before.', schema: acceptedSchema } },
    problems: ['not_found'],
    async handle(c, { service }) {
      const { streams } = await readBody(c, acceptBody);
      return answer(c, { streams: await service.acceptSchema(pathParameter(c, 'id'), streams) });
    },
  },
];
