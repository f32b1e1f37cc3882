import * as z from 'zod';

/** What a value can be turned into. */
export const CONVERSIONS = [
  'datetime',
  'date',
  'integer',
  'bigint',
  'decimal',
  'float',
  'boolean',
  'string',
  'json',
  'uuid',
  'bytes',
] as const;

/** One of {@link CONVERSIONS}. */
export type ConversionName = (typeof CONVERSIONS)[number];

/** Parts of an address's place that `ip_geolocation` knows. */
export const PLACE_PARTS = [
  'country',
  'country_name',
  'city',
  'region',
  'postal_code',
  'latitude',
  'longitude',
  'time_zone',
  'asn',
  'as_organization',
] as const;

/** One of {@link PLACE_PARTS}. */
export type PlacePart = (typeof PLACE_PARTS)[number];

const field = z.string().min(1);
const fields = z.array(field).min(1);

/** Which streams a step or rule is for. */
export const streamChoice = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .meta({ description: 'Names of the streams it is for; `*` and `?` are wildcards, `!` excludes. All, by default.' })
  .optional();

const conversion = z.strictObject({
  type: z.enum(CONVERSIONS).meta({ description: 'What to turn the value into.' }),
  format: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .meta({
      description:
        'Dates: how they are written, in the tokens of Luxon (`dd/MM/yyyy HH:mm`), or `iso`, `epoch_seconds`, `epoch_milliseconds`; a list is tried in order.',
      default: 'iso',
    })
    .optional(),
  time_zone: z
    .string()
    .min(1)
    .meta({ description: 'Dates: the zone of times that name none.', default: 'UTC', example: 'Europe/Berlin' })
    .optional(),
  locale: z.string().min(1).meta({ description: 'Dates: the language of names of months.', default: 'en' }).optional(),
  true_values: z.array(z.string()).min(1).meta({ description: 'Booleans: words for true.' }).optional(),
  false_values: z.array(z.string()).min(1).meta({ description: 'Booleans: words for false.' }).optional(),
  decimal_separator: z
    .enum(['.', ','])
    .meta({ description: 'Numbers: what stands before the fraction; the other one and spaces group digits.' })
    .optional(),
  encoding: z
    .enum(['utf8', 'base64', 'hex'])
    .meta({ description: 'Bytes: how they are written as text.', default: 'utf8' })
    .optional(),
  empty: z
    .enum(['null', 'fail'])
    .meta({ description: 'What an empty text is, where text is not asked for.', default: 'null' })
    .optional(),
});

const fieldMapping = z.strictObject({
  type: z.literal('field_mapping'),
  stream: streamChoice,
  mappings: z
    .record(field, field)
    .meta({ description: 'Name in the source to the new name.', example: { customer_id: 'id' } }),
});

const dataTypeConversion = z.strictObject({
  type: z.literal('data_type_conversion'),
  stream: streamChoice,
  conversions: z
    .record(field, z.union([z.enum(CONVERSIONS), conversion]))
    .meta({ description: 'Field to its new type.', example: { created_at: 'datetime' } }),
});

const geolocation = z.strictObject({
  field: field.meta({ description: 'The new field.' }),
  source: z.literal('ip_geolocation'),
  input_field: field.meta({ description: 'Holds the IP address.' }),
  attribute: z
    .enum(PLACE_PARTS)
    .meta({ description: 'What to take; by default what the field is called, else the country.' })
    .optional(),
  database: z
    .string()
    .min(1)
    .meta({
      description:
        'An .mmdb file. By default the file that EXPLORERIO_GEOIP_DATABASE names, else the country alone from built-in data.',
    })
    .optional(),
});

const lookup = z.strictObject({
  field: field.meta({ description: 'The new field.' }),
  source: z.literal('lookup'),
  input_field: field.meta({ description: 'The value to look for.' }),
  table: z.string().min(1).meta({ description: 'A table of the destination.', example: 'shop.customers' }),
  match: field.meta({ description: 'Column of that table that holds the value.' }),
  value: field.meta({ description: 'Column of that table to take.' }),
});

const dataEnrichment = z.strictObject({
  type: z.literal('data_enrichment'),
  stream: streamChoice,
  enrichments: z.array(z.discriminatedUnion('source', [geolocation, lookup])).min(1),
});

const constant = z.strictObject({
  type: z.literal('constant'),
  stream: streamChoice,
  field,
  value: z.union([z.string(), z.number(), z.boolean()]).meta({ description: 'The same for every record.' }),
});

const hash = z.strictObject({
  type: z.literal('hash'),
  stream: streamChoice,
  fields: fields.meta({ description: 'Replaced by a digest (SHA-256, in hexadecimal): equal values stay equal.' }),
  key: z
    .string()
    .min(1)
    .meta({
      description: 'Secret of the digest (HMAC). Without it whoever guesses a value can check the guess.',
      secret: true,
      example: '${HASH_KEY}',
    })
    .optional(),
});

const mask = z.strictObject({
  type: z.literal('mask'),
  stream: streamChoice,
  fields: fields.meta({ description: 'Fields whose letters and digits are hidden.' }),
  keep_start: z
    .int()
    .min(0)
    .max(100)
    .meta({ description: 'Characters that stay at the start.', default: 0 })
    .optional(),
  keep_end: z.int().min(0).max(100).meta({ description: 'Characters that stay at the end.', default: 0 }).optional(),
  character: z.string().length(1).meta({ description: 'What hides.', default: '*' }).optional(),
});

const drop = z.strictObject({
  type: z.literal('drop'),
  stream: streamChoice,
  fields: fields.meta({ description: 'Fields that are not loaded.' }),
});

const flatten = z.strictObject({
  type: z.literal('flatten'),
  stream: streamChoice,
  field: field.meta({ description: 'A field that holds JSON.' }),
  columns: z
    .record(field, z.union([z.string().min(1), z.strictObject({ path: z.string().min(1), type: z.enum(CONVERSIONS) })]))
    .meta({
      description:
        'New field to the path in the JSON, as in `address.city` or `items[0].id`; text unless a type is given.',
    }),
  keep: z.boolean().meta({ description: 'Keep the field itself, too.', default: true }).optional(),
});

const filter = z.strictObject({
  type: z.literal('filter'),
  stream: streamChoice,
  expression: z
    .string()
    .min(1)
    .max(2000)
    .meta({ description: 'CEL; records for which it is not true are left out.', example: 'status != "test"' }),
});

const expression = z.strictObject({
  type: z.literal('expression'),
  stream: streamChoice,
  field: field.meta({ description: 'The new or replaced field.' }),
  expression: z
    .string()
    .min(1)
    .max(2000)
    .meta({ description: 'CEL over the fields.', example: 'price * double(quantity)' }),
  as: z.enum(CONVERSIONS).meta({ description: 'Type of the result.' }),
});

/** One step of `transformations`. */
export const transformation = z.discriminatedUnion('type', [
  fieldMapping,
  dataTypeConversion,
  dataEnrichment,
  constant,
  hash,
  mask,
  drop,
  flatten,
  filter,
  expression,
]);

/** One step of `transformations`, parsed. */
export type Transformation = z.output<typeof transformation>;

/** The step of one type. */
export type TransformationOf<T extends Transformation['type']> = Extract<Transformation, { readonly type: T }>;

/** How one field is converted, with everything that was said about it. */
export type Conversion = z.output<typeof conversion>;

/** One of the enrichments of one source. */
export type EnrichmentOf<S extends 'ip_geolocation' | 'lookup'> = S extends 'lookup'
  ? z.output<typeof lookup>
  : z.output<typeof geolocation>;
