import * as z from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const fieldMapping = z.strictObject({
  type: z.literal('field_mapping'),
  stream: z.string().optional(),
  mappings: z.record(z.string(), z.string()),
});

const dataTypeConversion = z.strictObject({
  type: z.literal('data_type_conversion'),
  stream: z.string().optional(),
  conversions: z.record(z.string(), z.string()),
});

const dataEnrichment = z.strictObject({
  type: z.literal('data_enrichment'),
  stream: z.string().optional(),
  enrichments: z.array(z.strictObject({ field: z.string(), source: z.string(), input_field: z.string() })),
});

const validationRule = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('email_format'), field: z.string(), required: z.boolean().optional() }),
  z.strictObject({
    type: z.literal('range'),
    field: z.string(),
    required: z.boolean().optional(),
    min: z.union([z.number(), z.string()]).optional(),
    max: z.union([z.number(), z.string()]).optional(),
  }),
  z.strictObject({
    type: z.literal('enum'),
    field: z.string(),
    required: z.boolean().optional(),
    values: z.array(scalar).min(1),
  }),
  z.strictObject({ type: z.literal('required'), field: z.string() }),
]);

/** Sections about what happens to records between reading and writing. */
export const pipelineFields = {
  transformations: z
    .array(z.discriminatedUnion('type', [fieldMapping, dataTypeConversion, dataEnrichment]))
    .meta({ description: 'Steps applied to every record, in order.' })
    .optional(),
  validation_rules: z.array(validationRule).meta({ description: 'Rules that every record must pass.' }).optional(),
  error_handling: z
    .strictObject({
      strategy: z
        .enum(['quarantine', 'skip', 'null_field', 'stop'])
        .meta({ description: 'What to do with a bad record.', default: 'quarantine' }),
      notification: z.boolean().optional(),
    })
    .meta({ description: 'What to do with records that cannot be loaded.' })
    .optional(),
};

const alert = z.strictObject({
  name: z.string().min(1),
  condition: z.string().min(1),
  duration: z.string().optional(),
  severity: z.enum(['info', 'warning', 'critical']),
  notification_channels: z.array(z.string()).optional(),
});

/** Sections about health, metrics and alerts. */
export const monitoringFields = {
  health_checks: z
    .strictObject({
      enabled: z.boolean(),
      interval: z.int().positive().meta({ description: 'Seconds.' }).optional(),
      timeout: z.int().positive().meta({ description: 'Seconds.' }).optional(),
      retry_attempts: z.int().nonnegative().optional(),
    })
    .meta({ description: 'Regular connection tests.' })
    .optional(),
  metrics: z
    .strictObject({
      connection_status: z.boolean().optional(),
      sync_performance: z.boolean().optional(),
      error_rates: z.boolean().optional(),
      data_freshness: z.boolean().optional(),
    })
    .meta({ description: 'Which metrics to keep.' })
    .optional(),
  alerts: z.array(alert).meta({ description: 'Conditions to be told about.' }).optional(),
};

/** Sections about credentials, the network and incoming webhooks. */
export const securityFields = {
  credential_store: z
    .strictObject({ type: z.literal('encrypted_file'), encryption_key: z.string(), file_path: z.string() })
    .meta({ description: 'Where credentials are kept.' })
    .optional(),
  rotation_policy: z
    .strictObject({ enabled: z.boolean(), interval: z.string().optional(), notification: z.boolean().optional() })
    .meta({ description: 'How old credentials may become.' })
    .optional(),
  network_security: z
    .strictObject({
      use_vpn: z.boolean().optional(),
      vpn_endpoint: z.string().optional(),
      allowed_ip_ranges: z.array(z.string()).optional(),
      require_ssl: z.boolean().optional(),
      ssl_verification: z.boolean().optional(),
    })
    .meta({ description: 'Rules for outgoing connections.' })
    .optional(),
  webhook_config: z
    .strictObject({
      endpoint: z.string(),
      authentication: z.strictObject({ type: z.literal('hmac_sha256'), secret: z.string() }),
      retry_policy: z
        .strictObject({ max_attempts: z.int().positive(), backoff: z.enum(['exponential', 'linear', 'constant']) })
        .optional(),
    })
    .meta({ description: 'Incoming webhook.' })
    .optional(),
};
