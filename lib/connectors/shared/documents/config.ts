import * as z from 'zod';
import { REST } from '../../../core/schema';

/** How many documents are looked at where nothing is said. */
export const DEFAULT_SAMPLE = 1000;

/** The section `documents`: how they become rows. */
export const documentsField = z
  .strictObject({
    form: z
      .enum(['columns', 'json'])
      .optional()
      .meta({
        description: `\`columns\`: a column per field of the first level, found out by a sample, and the column \`${REST}\` for whatever does not fit into them. \`json\`: the key, and the whole in one column \`document\`.`,
        default: 'columns',
      }),
    sample: z.int().min(1).max(10_000).optional().meta({
      description: 'With `columns`: documents of each stream that are looked at, at every sync.',
      default: DEFAULT_SAMPLE,
    }),
  })
  .meta({ description: 'How documents become rows.' });
