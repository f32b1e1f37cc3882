import * as z from 'zod';
import { DURATION_PATTERN } from './duration';
import { CONVERSIONS, streamChoice } from './transformations';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const common = {
  field: z.string().min(1).meta({ description: 'The field, as it is called after the transformations.' }),
  stream: streamChoice,
  required: z.boolean().meta({ description: 'NULL and an empty text fail, too.', default: false }).optional(),
};

const bound = z.union([z.number(), z.string().min(1)]);

/** One of `validation_rules`. */
export const validationRule = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('email_format'), ...common }),
  z
    .strictObject({
      type: z.literal('range'),
      ...common,
      min: bound.meta({ description: 'Smallest value: a number, or a date as text.' }).optional(),
      max: bound.meta({ description: 'Largest value.' }).optional(),
    })
    .refine((rule) => rule.min !== undefined || rule.max !== undefined, {
      message: 'give "min", "max" or both',
      path: ['min'],
    }),
  z.strictObject({
    type: z.literal('enum'),
    ...common,
    values: z.array(scalar).min(1).max(10_000).meta({ description: 'The only values that pass.' }),
  }),
  z.strictObject({ type: z.literal('required'), field: common.field, stream: streamChoice }),
  z.strictObject({ type: z.literal('not_null'), field: common.field, stream: streamChoice }),
  z.strictObject({
    type: z.literal('regex'),
    ...common,
    pattern: z.string().min(1).max(1000).meta({ description: 'RE2 expression that the whole text must match.' }),
  }),
  z
    .strictObject({
      type: z.literal('length'),
      ...common,
      min: z.int().min(0).meta({ description: 'Fewest characters (bytes, of bytes).' }).optional(),
      max: z.int().min(0).meta({ description: 'Most characters.' }).optional(),
    })
    .refine((rule) => rule.min !== undefined || rule.max !== undefined, {
      message: 'give "min", "max" or both',
      path: ['min'],
    }),
  z.strictObject({
    type: z.literal('type'),
    ...common,
    is: z.enum(CONVERSIONS).meta({ description: 'What the value must be readable as; it is not changed.' }),
  }),
  z.strictObject({
    type: z.literal('unique'),
    ...common,
    within: z
      .array(z.string().min(1))
      .min(1)
      .meta({ description: 'Fields within whose equal values it must be unique; in the whole stream, by default.' })
      .optional(),
  }),
  z.strictObject({
    type: z.literal('expression'),
    field: common.field.optional(),
    stream: streamChoice,
    expression: z.string().min(1).max(2000).meta({ description: 'CEL that must be true.', example: 'total >= 0.0' }),
    message: z.string().min(1).max(500).meta({ description: 'What to say of a record that fails.' }).optional(),
  }),
  z.strictObject({
    type: z.literal('json_schema'),
    ...common,
    schema: z
      .record(z.string(), z.json())
      .meta({ description: 'JSON Schema (draft 2020-12) of the JSON in the field.' }),
  }),
]);

/** One of `validation_rules`, parsed. */
export type ValidationRule = z.output<typeof validationRule>;

/** The rule of one type. */
export type ValidationRuleOf<T extends ValidationRule['type']> = Extract<ValidationRule, { readonly type: T }>;

/** What happens to records that fail. */
export const errorHandling = z.strictObject({
  strategy: z
    .enum(['quarantine', 'skip', 'null_field', 'stop'])
    .meta({
      description:
        '`quarantine` keeps the record aside, `skip` leaves it out and counts it, `null_field` empties the field that failed (or keeps the record aside where that cannot be), `stop` ends the stream.',
      default: 'quarantine',
    })
    .optional(),
  notification: z.boolean().meta({ description: 'Tell the channels when records fail.', default: false }).optional(),
  failure_budget: z
    .strictObject({
      max_share: z
        .number()
        .min(0)
        .max(1)
        .meta({
          description: 'A stream of which a larger share fails is stopped before it replaces good data.',
          default: 0.5,
        })
        .optional(),
      max_records: z
        .int()
        .min(0)
        .meta({ description: 'A stream of which more records fail in one run is stopped.' })
        .optional(),
      min_records: z
        .int()
        .min(1)
        .meta({ description: 'The share counts from so many records on.', default: 100 })
        .optional(),
    })
    .meta({ description: 'How much may fail.' })
    .optional(),
  quarantine: z
    .strictObject({
      max_records: z
        .int()
        .min(1)
        .meta({ description: 'The oldest beyond so many of a stream are dropped.', default: 100_000 })
        .optional(),
      max_age: z
        .string()
        .regex(DURATION_PATTERN)
        .meta({ description: 'How long records are kept aside.', default: '90d' })
        .optional(),
    })
    .meta({ description: 'Bounds of what is kept aside.' })
    .optional(),
});

/** What happens to records that fail, parsed. */
export type ErrorHandling = z.output<typeof errorHandling>;
