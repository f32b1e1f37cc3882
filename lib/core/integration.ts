import * as z from 'zod';
import { DURATION_PATTERN } from './duration';
import { monitoringFields, pipelineFields, securityFields } from './integration-sections';
import type { Json } from './json';

/** Names of integrations: they are part of URLs, of file names and, by default, of the destination's schema. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** Names that no integration can have: they are paths of the API beside `/api/integrations/{id}`. */
export const RESERVED_NAMES: readonly string[] = ['health', 'stats'];

const duration = z.string().regex(DURATION_PATTERN, 'expected a duration such as "30s", "5m", "2h" or "90d"');

const syncSettings = z.strictObject({
  mode: z
    .enum(['full', 'incremental', 'batch', 'real_time'])
    .meta({
      description:
        'How to read: everything each time (`full`, `batch`), what is new (`incremental`), or every change from the log of the source (`real_time`).',
    })
    .optional(),
  schedule: z
    .string()
    .meta({
      description:
        'Five-field cron, or a nickname such as `@daily`: when a sync starts by itself. By default every minute where changes are followed, else never.',
      example: '0 */6 * * *',
    })
    .optional(),
  time_zone: z
    .string()
    .meta({ description: 'IANA time zone of the schedule.', example: 'Europe/Berlin', default: 'UTC' })
    .optional(),
  batch_size: z
    .int()
    .min(1)
    .max(1_000_000)
    .meta({ description: 'Rows per batch; by default batches are sized by bytes.' })
    .optional(),
  parallel: z.int().min(1).max(64).meta({ description: 'Slices read at the same time.', default: 2 }).optional(),
  bulk: z
    .enum(['auto', 'off'])
    .meta({
      description:
        '`auto` moves whole blocks of bytes where source and destination speak the same format; `off` decodes every row.',
      default: 'auto',
    })
    .optional(),
  change_streams: z
    .boolean()
    .meta({ description: 'MongoDB: `real_time` reads change streams, with or without it.' })
    .optional(),
  partition_field: z
    .string()
    .meta({ description: 'BigQuery: the partitioning column to read incrementally by.' })
    .optional(),
  auto_offset_reset: z
    .enum(['earliest', 'latest'])
    .meta({ description: 'Kafka: where a new consumer group begins.' })
    .optional(),
});

const syncStrategy = z.strictObject({
  type: z.enum(['full', 'incremental', 'cdc']).meta({ description: 'How changes are found.' }).optional(),
  method: z
    .enum(['timestamp', 'database_logs'])
    .meta({ description: '`timestamp` for `incremental`, `database_logs` for `cdc`.' })
    .optional(),
  timestamp_field: z
    .string()
    .min(1)
    .meta({
      description:
        'Column that grows with every change. Absent: chosen per stream; `explorerio plan` says which and why.',
      example: 'updated_at',
    })
    .optional(),
  initial_sync: z
    .enum(['full', 'none'])
    .meta({ description: 'Read everything first, or only what is new from now on.', default: 'full' })
    .optional(),
  checkpoint_storage: z
    .enum(['database'])
    .meta({ description: 'Positions are stored in the destination with the rows.' })
    .optional(),
  lookback: duration
    .meta({
      description: 'Read again what is at most this much older than the last value, for writers with wrong clocks.',
      example: '5m',
    })
    .optional(),
  capture_deletes: z
    .boolean()
    .meta({ description: 'Changes: false keeps what the source deletes or truncates.', default: true })
    .optional(),
  capture_schema_changes: z
    .boolean()
    .meta({
      description: 'Changes: false keeps the accepted shape, as `schema_changes: quarantine` does.',
      default: true,
    })
    .optional(),
  batch_size: z.int().min(1).max(1_000_000).meta({ description: 'Rows per batch.' }).optional(),
});

/** What to do when the shape of a stream is not the one that was accepted. */
export const SCHEMA_POLICIES = ['apply', 'pause', 'quarantine'] as const;

/** One of {@link SCHEMA_POLICIES}. */
export type SchemaPolicy = (typeof SCHEMA_POLICIES)[number];

const schemaChanges = (of: string) =>
  z
    .enum(SCHEMA_POLICIES)
    .meta({
      description: `When the source's ${of} changes its shape: \`apply\` follows it, \`pause\` stops until it is accepted, \`quarantine\` keeps the old shape and sets aside records that do not fit it.`,
      default: 'apply',
    })
    .optional();

const streamSettings = z.strictObject({
  mode: z.enum(['full', 'incremental']).meta({ description: 'Overrides the mode for this stream.' }).optional(),
  cursor: z.string().min(1).meta({ description: 'Overrides the cursor column for this stream.' }).optional(),
  enabled: z.boolean().meta({ description: 'False leaves the stream out.', default: true }).optional(),
  schema_changes: schemaChanges('stream'),
  search: z
    .array(z.string().min(1))
    .min(1)
    .max(20)
    .refine((fields) => new Set(fields).size === fields.length, 'names a field twice')
    .meta({
      description: 'Fields, as they are stored, in which `GET /api/search` looks.',
      example: ['title', 'body'],
    })
    .optional(),
  search_language: z
    .string()
    .regex(/^[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?$/, 'expected a name such as "simple" or "english"')
    .meta({
      description:
        'Text search configuration of the destination: `simple` compares words as they are, `english` and others also their forms.',
      default: 'simple',
    })
    .optional(),
});

const destinationSettings = z.strictObject({
  schema: z
    .string()
    .min(1)
    .refine((name) => new TextEncoder().encode(name).length <= 63, 'at most 63 bytes')
    .refine((name) => !/^(pg_|information_schema$)/.test(name), 'is reserved by PostgreSQL')
    .meta({ description: 'Schema in the ExplorerIO database; the name of the integration by default.' })
    .optional(),
  deletes: z
    .enum(['hard', 'soft'])
    .meta({
      description: '`hard` removes deleted rows, `soft` keeps them and fills `_explorerio_deleted_at`.',
      default: 'hard',
    })
    .optional(),
  schema_changes: schemaChanges('streams'),
});

/** What every integration has beside the keys of its connector. */
export const integrationFields = z.strictObject({
  name: z
    .string()
    .regex(NAME_PATTERN, 'use letters, digits, "_" and "-", at most 63, beginning with a letter or digit')
    .meta({ description: 'Unique name; it is also the id in URLs.', example: 'main_database' }),
  type: z.string().min(1).meta({ description: 'Type of the external system.', example: 'postgresql' }),
  description: z.string().max(2000).meta({ description: 'For people.' }).optional(),
  enabled: z.boolean().meta({ description: 'False: no scheduled sync.', default: true }).optional(),
  sync_settings: syncSettings.meta({ description: 'When and how to sync.' }).optional(),
  sync_strategy: syncStrategy.meta({ description: 'How changes are found.' }).optional(),
  streams: z
    .record(z.string(), streamSettings)
    .meta({ description: 'Settings of single streams, by name.' })
    .optional(),
  destination: destinationSettings.meta({ description: 'Where the rows go.' }).optional(),
  ...pipelineFields,
  ...monitoringFields,
  ...securityFields,
});

/** The common part of an integration document, parsed. */
export type IntegrationFields = z.output<typeof integrationFields>;

/** A whole document as it was given: the common fields and those of the connector, references to secrets unresolved. */
export type IntegrationDocument = { readonly [key: string]: Json };
