import * as z from 'zod';
import { channelStatus, connectionStatus, fault, healthCheck, named } from './answers';

const healthStatus = z.enum(['healthy', 'degraded', 'failed', 'unknown']);
const syncMode = z.enum(['full', 'incremental', 'changes']);

export const checkReport = named(
  'CheckReport',
  z.object({
    passed: z.boolean().meta({ description: 'No step failed.' }),
    steps: z.array(
      z.object({
        name: z.string().meta({ description: 'Such as `resolve`, `connect`, `tls`, `authenticate`, `permissions`.' }),
        state: z.enum(['passed', 'failed', 'skipped', 'warning']),
        detail: z.string(),
        hint: z.string().meta({ description: 'What to do where the step did not pass.' }).optional(),
        kind: fault.shape.kind.optional(),
        code: z.string().meta({ description: 'Stable name of the fault, where the step failed.' }).optional(),
        milliseconds: z.number(),
      }),
    ),
  }),
);

export const streamList = named(
  'StreamList',
  z.object({
    streams: z.array(
      z.object({
        schema: z.object({
          stream: z.string(),
          columns: z.array(z.object({ name: z.string(), type: z.string(), nullable: z.boolean(), native: z.string() })),
          key: z.array(z.string()).meta({ description: 'Columns that identify a row; empty when there are none.' }),
        }),
        modes: z.array(syncMode),
        estimate: z
          .object({ rows: z.number(), bytes: z.number() })
          .meta({ description: "The source's own estimate." })
          .optional(),
        cursors: z
          .array(
            z.object({
              column: z.string(),
              nullable: z.boolean(),
              indexed: z.boolean(),
              coarse: z.boolean(),
              sequence: z.literal(true).meta({ description: "The source's own order of changes." }).optional(),
            }),
          )
          .meta({ description: 'Columns by which the stream could be read incrementally.' }),
        notes: z.array(z.string()),
        unreadable: fault.optional(),
      }),
    ),
  }),
);

export const plan = named(
  'Plan',
  z.object({
    integration: z.string(),
    streams: z.array(
      z.object({
        stream: z.string(),
        mode: syncMode,
        cursor: z.string().optional(),
        reason: z.string().meta({ description: 'Why this mode and cursor.' }),
        key: z.array(z.string()),
        estimated_rows: z.number().optional(),
        estimated_bytes: z.number().optional(),
        schema: z.string().meta({ description: 'Schema in the destination.' }),
        warnings: z.array(z.string()),
        fault: fault.optional(),
      }),
    ),
    warnings: z.array(z.string()),
  }),
);

const durations = z
  .object({ p50: z.number(), p95: z.number(), max: z.number() })
  .meta({ description: 'Seconds, by the nearest rank: each is the time of one of the runs.' });

/** What the section `metrics` of a document keeps. */
const metrics = named(
  'Metrics',
  z.object({
    connection_status: connectionStatus.optional(),
    sync_performance: z
      .object({ seconds: durations, rows_per_second: z.number(), bytes_per_second: z.number() })
      .optional(),
    error_rates: z
      .object({
        runs: z.number().meta({ description: 'Failed ones among those that ended by themselves, 0 to 1.' }),
        records: z.number().meta({ description: 'Quarantined or skipped ones among all, 0 to 1.' }),
      })
      .optional(),
    data_freshness: z
      .object({
        last_sync_age_seconds: z
          .number()
          .meta({ description: 'Absent where no sync has brought everything yet.' })
          .optional(),
      })
      .optional(),
  }),
);

export const health = named(
  'Health',
  z.object({
    status: healthStatus.meta({ description: 'The worst of all integrations; `unknown` when there is none.' }),
    integrations: z.array(
      z.object({
        integration: z.string(),
        status: healthStatus,
        connection_status: connectionStatus,
        error_rate: z.number().meta({ description: 'Share of failed runs among the last ones, 0 to 1.' }),
        last_sync_age_seconds: z.number().optional(),
        detail: z.string(),
        health_check: healthCheck
          .optional()
          .meta({ description: 'Where the document asks for regular connection tests.' }),
        metrics,
      }),
    ),
    silent_channels: z.array(channelStatus).meta({
      description:
        'Channels on which nobody is told what they should be: those that fail, or are named and not configured.',
    }),
  }),
);

const count = z.int().nonnegative();

export const stats = named(
  'Stats',
  z.object({
    integrations: z.array(
      z.object({
        integration: z.string(),
        runs: z.object({ total: count, succeeded: count, partial: count, failed: count, cancelled: count }),
        rows: count,
        bytes: count,
        quarantined: count,
        skipped: count,
        error_rate: z.number().meta({ description: 'Failed runs among those that ended by themselves, 0 to 1.' }),
        record_error_rate: z.number().meta({ description: 'Quarantined or skipped records among all, 0 to 1.' }),
        seconds: durations,
        rows_per_second: z.number(),
        bytes_per_second: z.number(),
        days: z
          .array(
            z.object({
              day: z.string().meta({ description: 'As in `2026-01-31`, in UTC.' }),
              runs: count,
              failed: count,
              rows: count,
              bytes: count,
              quarantined: count,
            }),
          )
          .meta({ description: 'The last 30 days, oldest first; a run counts on the day on which it ended.' }),
        cost_usd: z.number().meta({ description: 'What the runs would have cost as serverless functions.' }),
        freshness_seconds: z.number().optional(),
        metrics,
      }),
    ),
  }),
);

export const credentialList = named(
  'CredentialList',
  z.object({
    credentials: z.array(
      z.object({
        name: z.string().meta({ description: 'As in `${NAME}`.' }),
        store: z
          .enum(['encrypted_file', 'environment', 'secrets_manager'])
          .meta({ description: 'Absent where none has it, or the store cannot be read.' })
          .optional(),
        used_by: z.array(z.string()).meta({ description: 'Integrations that refer to it.' }),
        changed_at: z.iso
          .datetime()
          .meta({ description: 'When the value was changed; of the environment: first seen.' })
          .optional(),
        age_seconds: z.number().optional(),
        due_at: z.iso
          .datetime()
          .meta({ description: 'When the strictest `rotation_policy` of these integrations wants it changed.' })
          .optional(),
        state: z.enum(['ok', 'due_soon', 'overdue', 'missing', 'unknown']),
        fault: fault.optional(),
      }),
    ),
  }),
);

export const connectorList = named(
  'ConnectorList',
  z.object({
    connectors: z.array(
      z.object({
        type: z.string(),
        title: z.string(),
        modes: z.array(z.string()),
        schema: z
          .record(z.string(), z.unknown())
          .meta({ description: 'JSON Schema of a whole integration document of this type.' }),
      }),
    ),
  }),
);

const owned = z.record(z.string(), z.unknown());

export const searchResult = named(
  'SearchResult',
  z.object({
    hits: z.array(
      z.object({
        integration: z.string(),
        stream: z.string(),
        key: owned.meta({ description: 'The columns that identify the record; empty where the stream has no key.' }),
        match: z
          .enum(['words', 'similar'])
          .meta({ description: '`words`: it holds the words; `similar`: parts of them, or words like them.' }),
        score: z.number().meta({ description: 'The higher, the better: above 1 with the words themselves.' }),
        highlights: z.array(
          z.object({
            field: z.string(),
            parts: z
              .array(z.object({ text: z.string(), match: z.boolean() }))
              .meta({ description: "Pieces of the field's text in their order; plain text, never HTML." }),
          }),
        ),
        record: owned.meta({ description: 'The searched fields; long texts are cut after 2,000 characters.' }),
      }),
    ),
    next: z.string().meta({ description: '`after` of the next page; absent on the last one.' }).optional(),
    warnings: z.array(z.string()).meta({ description: 'What was not looked at, and why.' }),
  }),
);

export const validation = named('Validation', z.object({ valid: z.literal(true), warnings: z.array(z.string()) }));

export const about = named(
  'About',
  z.object({ name: z.literal('ExplorerIO'), version: z.string(), reference: z.string(), openapi: z.string() }),
);

export const liveness = named('Liveness', z.object({ status: z.literal('ok') }));
