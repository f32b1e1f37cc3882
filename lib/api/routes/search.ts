import * as z from 'zod';
import { LONGEST_SEARCH } from '../../core/search';
import { answer } from '../answer';
import { searchResult } from '../answers-about';
import type { Operation } from '../operation';
import { readQuery } from '../query';

const LARGEST_PAGE = 100;

const searchQuery = z.strictObject({
  q: z.string().min(1).max(LONGEST_SEARCH).meta({
    description: 'What to look for: words, `"a phrase"`, `or`, `-without`. The last word may be the beginning of one.',
    example: 'left hand',
  }),
  integration: z.string().min(1).meta({ description: 'Only records of this integration.' }).optional(),
  stream: z.string().min(1).meta({ description: 'Only records of this stream.' }).optional(),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(LARGEST_PAGE)
    .default(20)
    .meta({ description: 'How many to give at most.' }),
  after: z.string().min(1).max(8000).meta({ description: '`next` of the page before, of the same search.' }).optional(),
});

const LINK = { Link: 'The next page, `rel="next"`; absent on the last one.' };

/** Looking for records. */
export const searchRoutes: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/search',
    id: 'search',
    tag: 'Integrations',
    summary: 'Find records of all integrations, the best first',
    description:
      'Looks in the fields that documents name under `streams.NAME.search`. A record is found from the moment it is stored, and no more from the moment it is deleted.',
    query: searchQuery,
    answers: { 200: { description: 'One page.', schema: searchResult, headers: LINK } },
    problems: ['not_found', 'config'],
    async handle(c, { service }) {
      const { q: text, limit, ...rest } = readQuery(c, searchQuery);
      const request = {
        text,
        limit,
        ...(rest.integration !== undefined && { integration: rest.integration }),
        ...(rest.stream !== undefined && { stream: rest.stream }),
        ...(rest.after !== undefined && { after: rest.after }),
      };
      const { hits, next, warnings } = await service.search(request, c.req.raw.signal);
      if (next !== undefined) {
        const parameters = new URLSearchParams(c.req.query());
        parameters.set('after', next);
        c.header('Link', `<${c.req.path}?${parameters}>; rel="next"`);
      }
      return answer(c, { hits, next, warnings });
    },
  },
];
