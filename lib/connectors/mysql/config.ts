import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import { DURATION_PATTERN } from '../../core/duration';
import { tlsFields } from '../shared/tls';

const duration = z.string().regex(DURATION_PATTERN, 'expected a duration such as "500ms", "10s" or "5m"');

const connection = z.strictObject({
  uri: secretField(
    'Everything in one: `mysql://username:password@host:port/database`. Fields given beside it win.',
  ).optional(),
  host: z
    .string()
    .min(1)
    .meta({
      description: 'Name or address of the server, or the path of its Unix socket. Required without `uri`.',
      example: 'db.company.com',
    })
    .optional(),
  port: z.int().min(1).max(65535).meta({ description: 'Port of the server.', default: 3306 }).optional(),
  database: z
    .string()
    .min(1)
    .meta({ description: 'Database to read. Required without `uri`.', example: 'shop' })
    .optional(),
  username: z
    .string()
    .min(1)
    .meta({
      description:
        'User to log in as; it needs SELECT on the tables, and PROCESS for exact increments. Required without `uri`.',
      example: 'readonly_user',
    })
    .optional(),
  password: secretField('Password of the user.').optional(),
  ssl: z
    .union([z.boolean(), tlsFields])
    .meta({
      description:
        'Encrypt the connection. `true` verifies the certificate chain and host name against the well-known authorities; an object says more. Off by default.',
      example: true,
    })
    .optional(),
  connect_timeout: duration
    .meta({ description: 'How long to wait for the server when connecting.', default: '10s' })
    .optional(),
  statement_timeout: duration
    .meta({
      description: 'Ends a statement that runs longer, reading included. By default what the server has set.',
      example: '30m',
    })
    .optional(),
  max_connections: z
    .int()
    .min(1)
    .max(64)
    .meta({
      description:
        'Most connections that read increments at the same time, and most that hold the snapshot of a full read; one more holds an earlier moment.',
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
  tables: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description:
        'Tables and views to read, as names or globs (`*`, `?`); one that begins with `!` excludes. By default all.',
      example: ['orders', 'sales_*', '!*_backup'],
    })
    .optional(),
  tinyint1_as_boolean: z
    .boolean()
    .meta({ description: 'Read `tinyint(1)` as true (any number but 0) and false.', default: false })
    .optional(),
  zero_dates: z
    .enum(['fail', 'null', 'text'])
    .meta({
      description:
        'What to do with dates that do not exist, such as `0000-00-00`: `fail` stops the stream and names the row, `null` reads them as no value, `text` reads all dates and times as text, as they are. A date in a key never becomes null.',
      default: 'fail',
    })
    .optional(),
  late_commit_margin: duration
    .meta({
      description:
        'Where the server does not tell which transactions are open (no PROCESS right, or a replica): rows at most this much older than the newest are read again by each increment.',
      default: '1m',
    })
    .optional(),
});

/** The configuration of a MySQL or MariaDB source, parsed. */
export type MysqlConfig = z.output<typeof schema>;

/** What can be configured. */
export const mysqlConfig = configSpec(schema);
