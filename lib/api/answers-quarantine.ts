import * as z from 'zod';
import { named } from './answers';

const time = z.iso.datetime().meta({ description: 'ISO 8601 in UTC.' });

const reason = z.object({ message: z.string(), field: z.string().optional(), rule: z.string().optional() });

/** One record that could not be loaded. */
export const quarantinedRecord = named(
  'QuarantinedRecord',
  z.object({
    id: z.string().meta({ description: 'Another one when a newer version takes its place.' }),
    stream: z.string(),
    run: z.string(),
    reason: z.string().meta({ description: 'All reasons in one text.' }),
    field: z.string().meta({ description: 'Of the first reason.' }).optional(),
    rule: z.string().meta({ description: 'Of the first reason.' }).optional(),
    reasons: z.array(reason),
    op: z.enum(['insert', 'update', 'delete']).meta({ description: 'What the record was to do.' }),
    partition: z.string().meta({ description: 'The part of the stream that it came from.' }),
    load: z.string().meta({ description: 'The full load that it came from, where it was one.' }).optional(),
    configuration: z
      .string()
      .meta({ description: 'Digest of the steps and rules that have judged it last.' })
      .optional(),
    record: z.record(z.string(), z.unknown()).meta({ description: 'The record as it came, by column.' }),
    at: time.meta({ description: 'When it was put there; what is newer than that is never overwritten.' }),
    edited: z
      .object({ at: time, fields: z.array(z.string()) })
      .meta({ description: 'Fields that were corrected by hand, and when last.' })
      .optional(),
    problem: z.string().meta({ description: 'Why it cannot be replayed.' }).optional(),
  }),
);

/** Records that could not be loaded. */
export const quarantineList = named(
  'QuarantineList',
  z.object({
    records: z.array(quarantinedRecord),
    next: z.string().meta({ description: '`after` of the next page; absent on the last one.' }).optional(),
  }),
);

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
            '`failed` stays, with new reasons; `superseded`: the store holds a newer version, so the entry was removed; `postponed` stays: a load of the stream is not published yet, or the record was edited at the same time; `left_out`: by a filter.',
        }),
        reasons: z.array(reason),
      }),
    ),
    next: z.string().meta({ description: '`after` of the next request; absent when all were seen.' }).optional(),
  }),
);

/** How many records were dropped. */
export const droppedRecords = named('DroppedRecords', z.object({ dropped: z.int() }));
