import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import { requireKeys } from '../shared/aws-keys';
import { awsKeyFields, awsRegion, duration, globs, maxConnections } from '../shared/connection-fields';
import { OBJECT_ADDRESS } from './object-address';

const ONE_OF_TWO = 'either "path" or "url" is required, and not both';

const connection = z.strictObject({
  path: z
    .string()
    .min(1)
    .refine((path) => !/^[a-z][a-z0-9+.-]+:/i.test(path), 'is an address; give it as "url"')
    .meta({
      description: 'Path of the database file, on the machine that runs the sync. Required without `url`.',
      example: '/var/lib/shop/shop.db',
    })
    .optional(),
  url: secretField(
    'Where the file is fetched from instead: `https://` (or `http://`), or an object in S3 as `s3://BUCKET/KEY`, copied to a temporary file for each run and removed after it; or `file://`. Kept secret, as it may hold a password or a signature.',
  ).optional(),
  region: awsRegion
    .meta({
      description: 'AWS region of the bucket. Where S3 names another, that one is asked.',
      default: 'us-east-1',
      example: 'eu-central-1',
    })
    .optional(),
  ...awsKeyFields(
    'Access key for S3. Without it the process signs as itself: environment, profile, or the role of its function, container or machine.',
  ),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .meta({
      description: 'Address of another store with the protocol of S3, such as MinIO, or of a VPC endpoint.',
      example: 'https://minio.example.com',
    })
    .optional(),
  max_megabytes: z
    .int()
    .min(1)
    .max(1_000_000)
    .meta({ description: 'Most that is fetched from `url`.', default: 1024 })
    .optional(),
  download_timeout: duration.meta({ description: 'How long fetching from `url` may take.', default: '10m' }).optional(),
  busy_timeout: duration
    .meta({ description: 'How long to wait while another program keeps the file locked.', default: '10s' })
    .optional(),
  max_connections: maxConnections(
    'Most connections that read at the same time. One more holds the snapshot of a full read.',
  ),
});

type Connection = z.output<typeof connection>;

function requireOne(value: Connection, context: z.core.$RefinementCtx<Connection>): void {
  if ((value.path === undefined) === (value.url === undefined)) {
    context.addIssue({ code: 'custom', path: ['path'], message: ONE_OF_TWO });
  }
  const problem = value.url && urlProblem(value.url.reveal());
  if (problem) context.addIssue({ code: 'custom', path: ['url'], message: problem });
  const ofObject = value.url?.reveal().startsWith('s3:') === true;
  for (const name of OF_OBJECTS) {
    if (value[name] === undefined || ofObject) continue;
    context.addIssue({ code: 'custom', path: [name], message: 'is only for a "url" that begins with s3://' });
  }
  requireKeys(value, context);
}

const OF_OBJECTS = ['region', 'access_key_id', 'secret_access_key', 'session_token', 'endpoint'] as const;

function urlProblem(text: string): string | undefined {
  const protocol = URL.canParse(text) ? new URL(text).protocol : '';
  if (['https:', 'http:', 'file:'].includes(protocol)) return undefined;
  if (protocol === 's3:') return OBJECT_ADDRESS.test(text) ? undefined : 'is no s3://BUCKET/KEY';
  return 'is no address that begins with https://, http://, s3:// or file://';
}

const schema = z.strictObject({
  connection: connection.superRefine(requireOne).meta({ description: 'Where the file is.' }),
  tables: globs
    .meta({
      description: 'Tables and views to read, as globs (`*`, `?`); one that begins with `!` excludes. By default all.',
      example: ['orders', 'sales_*', '!*_backup'],
    })
    .optional(),
  type_mismatch: z
    .enum(['text', 'fail'])
    .meta({
      description:
        'What becomes of a column with values that are not of its declared type, as SQLite allows: `text` reads the whole column as text; `fail` stops at the first such value, and names it. For `text` each sync looks at all values of a table first.',
      default: 'text',
    })
    .optional(),
});

/** The configuration of an SQLite source, parsed. */
export type SqliteConfig = z.output<typeof schema>;

/** The `connection` section of it. */
export type ConnectionConfig = SqliteConfig['connection'];

/** What can be configured. */
export const sqliteConfig = configSpec(schema);
