import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import { DURATION_PATTERN } from '../../core/duration';
import { tlsFields } from '../shared/tls';

const duration = z.string().regex(DURATION_PATTERN, 'expected a duration such as "500ms", "10s" or "5m"');

const connection = z.strictObject({
  uri: secretField(
    'Everything in one: `postgresql://username:password@host:port/database`. Fields given beside it win.',
  ).optional(),
  host: z
    .string()
    .min(1)
    .meta({
      description: 'Name or address of the server, or the folder of its Unix socket. Required without `uri`.',
      example: 'db.company.com',
    })
    .optional(),
  port: z.int().min(1).max(65535).meta({ description: 'Port of the server.', default: 5432 }).optional(),
  database: z
    .string()
    .min(1)
    .meta({ description: 'Database to read. Required without `uri`.', example: 'analytics' })
    .optional(),
  username: z
    .string()
    .min(1)
    .meta({
      description: 'Role to log in as; it needs SELECT on the tables, nothing more. Required without `uri`.',
      example: 'readonly_user',
    })
    .optional(),
  password: secretField('Password of the role.').optional(),
  ssl: z
    .union([z.boolean(), tlsFields])
    .meta({
      description:
        'Encrypt the connection. `true` verifies the certificate chain and host name against the well-known authorities; an object says more. Off by default.',
      example: true,
    })
    .optional(),
  application_name: z
    .string()
    .min(1)
    .max(63)
    .meta({ description: 'How the connections are named in pg_stat_activity.', default: 'explorerio' })
    .optional(),
  connect_timeout: duration
    .meta({ description: 'How long to wait for the server when connecting.', default: '10s' })
    .optional(),
  statement_timeout: duration
    .meta({
      description:
        'Ends a statement that runs longer, reading included. By default what the server has set for the role.',
      example: '30m',
    })
    .optional(),
  max_connections: z
    .int()
    .min(1)
    .max(64)
    .meta({
      description: 'Most connections that read at the same time. Up to two more hold the snapshot of a full read.',
      default: 4,
    })
    .optional(),
});

type Connection = z.output<typeof connection>;

function requireParts(value: Connection, context: z.core.$RefinementCtx<Connection>): void {
  if (value.uri) return;
  for (const name of ['host', 'database', 'username'] as const) {
    if (value[name] === undefined) {
      context.addIssue({ code: 'custom', path: [name], message: 'is required, unless "uri" is given' });
    }
  }
}

const schema = z.strictObject({
  connection: connection.superRefine(requireParts).meta({ description: 'Where the database is and how to log in.' }),
  schemas: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description: 'Schemas to read, as names or globs (`*`, `?`). By default all but those of the system.',
      example: ['public', 'sales_*'],
    })
    .optional(),
  tables: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description:
        'Tables and views to read, as globs over `table` or `schema.table`; one that begins with `!` excludes. By default all.',
      example: ['orders', 'sales.*', '!*_backup'],
    })
    .optional(),
});

/** The configuration of a PostgreSQL source, parsed. */
export type PostgresqlConfig = z.output<typeof schema>;

/** The `connection` section of it. */
export type ConnectionConfig = PostgresqlConfig['connection'];

/** What can be configured. */
export const postgresqlConfig = configSpec(schema);
