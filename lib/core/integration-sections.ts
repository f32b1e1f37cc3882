import * as z from 'zod';
import { transformation } from './transformations';
import { errorHandling, validationRule } from './validation-rules';
import { ENDPOINT_FORM, webhookPath } from './webhook-endpoint';

/** Sections about what happens to records between reading and writing. */
export const pipelineFields = {
  transformations: z.array(transformation).meta({ description: 'Steps applied to every record, in order.' }).optional(),
  validation_rules: z.array(validationRule).meta({ description: 'Rules that every record must pass.' }).optional(),
  error_handling: errorHandling.meta({ description: 'What to do with records that cannot be loaded.' }).optional(),
};

const alert = z.strictObject({
  name: z.string().min(1).meta({ description: 'Unique within the integration.', example: 'Data Staleness' }),
  condition: z
    .string()
    .min(1)
    .meta({ description: 'What must not be; the language is in docs/alerts.md.', example: "last_sync_age > '2h'" }),
  duration: z
    .string()
    .meta({
      description: 'How long it must hold; for `error_rate` and counts of rows the time they are about.',
      example: '5m',
    })
    .optional(),
  severity: z.enum(['info', 'warning', 'critical']).meta({ description: 'Whether somebody is told: not of `info`.' }),
  notification_channels: z.array(z.string()).meta({ description: 'Where to tell it.' }).optional(),
});

const metric = (description: string) => z.boolean().meta({ description, default: true }).optional();

/** Sections about health, metrics and alerts. */
export const monitoringFields = {
  health_checks: z
    .strictObject({
      enabled: z.boolean().meta({ description: 'Whether the connection is tested regularly.' }),
      interval: z
        .int()
        .min(1)
        .max(86_400)
        .meta({ description: 'Seconds from one test to the next; in AWS at least 300.', default: 300 })
        .optional(),
      timeout: z
        .int()
        .min(1)
        .max(3600)
        .meta({
          description: 'Seconds that one attempt may take, at most `interval`; in AWS at most 60.',
          default: 30,
        })
        .optional(),
      retry_attempts: z
        .int()
        .min(0)
        .max(10)
        .meta({ description: 'Further attempts, after a failure that may pass by itself.', default: 3 })
        .optional(),
    })
    .meta({ description: 'Regular connection tests, see docs/health.md.' })
    .optional(),
  metrics: z
    .strictObject({
      connection_status: metric('Whether the source can be reached.'),
      sync_performance: metric('How long syncs take, and how much they move.'),
      error_rates: metric('Runs that fail, and records that cannot be loaded.'),
      data_freshness: metric('How old the data is.'),
    })
    .meta({ description: 'Which metrics are shown and exported; what alerts need is measured all the same.' })
    .optional(),
  alerts: z.array(alert).meta({ description: 'Conditions to be told about.' }).optional(),
};

/** Sections about credentials, the network and incoming webhooks. */
export const securityFields = {
  credential_store: z
    .strictObject({
      type: z.literal('encrypted_file').meta({ description: 'A file that `explorerio secrets set` writes.' }),
      encryption_key: z.string().min(1).meta({
        description: 'Key of the file; a reference is looked for in the environment alone.',
        secret: true,
        writeOnly: true,
        example: '${ENCRYPTION_KEY}',
      }),
      file_path: z.string().min(1).meta({
        description: 'Path of the file, in the data folder or a folder that EXPLORERIO_CREDENTIALS_FOLDERS allows.',
        example: '/secure/credentials.enc',
      }),
    })
    .meta({ description: 'Where `${NAME}` is looked for before the environment. Not in AWS.' })
    .optional(),
  rotation_policy: z
    .strictObject({
      enabled: z.boolean().meta({ description: 'Whether the ages of the credentials are watched.' }),
      interval: z
        .string()
        .regex(/^[1-9]\d*(s|m|h|d)$/, 'expected a duration such as "90d"')
        .meta({ description: 'How old a credential may become.', default: '90d' })
        .optional(),
      notification: z
        .boolean()
        .meta({ description: 'Tell it, 14 days before and from the day on that it is due.', default: true })
        .optional(),
    })
    .meta({ description: 'How old the credentials may become that the document refers to.' })
    .optional(),
  network_security: z
    .strictObject({
      use_vpn: z.boolean().optional(),
      vpn_endpoint: z.string().optional(),
      allowed_ip_ranges: z
        .array(
          z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], 'expected an address or a range such as "10.0.0.0/8"'),
        )
        .min(1)
        .meta({
          description: 'Only addresses in these ranges are connected to, whatever a name resolves to.',
          example: ['10.0.0.0/8'],
        })
        .optional(),
      require_ssl: z.boolean().meta({ description: 'Refuse connections without TLS.', default: false }).optional(),
      ssl_verification: z
        .boolean()
        .meta({
          description:
            'True: the certificate of the server must be verified. False: it is not, unless the connection says how. By default as the connection says.',
        })
        .optional(),
    })
    .meta({ description: 'Rules for outgoing connections.' })
    .optional(),
  webhook_config: z
    .strictObject({
      endpoint: z
        .string()
        .refine((text) => webhookPath(text) !== undefined, ENDPOINT_FORM)
        .meta({
          description: 'The address that is called. ExplorerIO answers at its path; integrations may share one.',
          example: 'https://explorerio.company.com/webhooks/data-update',
        }),
      authentication: z
        .strictObject({
          type: z.literal('hmac_sha256').meta({ description: 'The only way in which calls are signed.' }),
          secret: z.string().min(1).meta({
            description: 'Key of the signature; a reference is looked for as all others of the document.',
            secret: true,
            writeOnly: true,
            example: '${WEBHOOK_SECRET}',
          }),
        })
        .meta({ description: 'How a caller shows that it may call, see docs/webhooks.md.' }),
      retry_policy: z
        .strictObject({
          max_attempts: z
            .int()
            .min(1)
            .max(100)
            .meta({ description: 'Attempts in all, as long as none of them gets any further.', example: 3 }),
          backoff: z.enum(['exponential', 'linear', 'constant']).meta({
            description:
              'How the pauses of 5 s between them go on: doubled, 5 s longer, or the same each time; never more than 5 min.',
            example: 'exponential',
          }),
        })
        .meta({ description: 'How often a sync that a call has started is tried when it fails for a passing reason.' })
        .optional(),
    })
    .meta({ description: 'A signed call that has the integration synced at once, see docs/webhooks.md.' })
    .optional(),
};
