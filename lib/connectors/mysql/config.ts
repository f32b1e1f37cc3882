import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import {
  connectTimeout,
  globs,
  lateCommitMargin,
  maxConnections,
  portField,
  requireUnlessUri,
  sslField,
  statementTimeout,
  text,
} from '../shared/connection-fields';

const connection = z.strictObject({
  uri: secretField(
    'Everything in one: `mysql://username:password@host:port/database`. Fields given beside it win.',
  ).optional(),
  host: text
    .meta({
      description: 'Name or address of the server, or the path of its Unix socket. Required without `uri`.',
      example: 'db.company.com',
    })
    .optional(),
  port: portField(3306),
  database: text.meta({ description: 'Database to read. Required without `uri`.', example: 'shop' }).optional(),
  username: text
    .meta({
      description:
        'User to log in as; it needs SELECT on the tables, and PROCESS for exact increments. Required without `uri`.',
      example: 'readonly_user',
    })
    .optional(),
  password: secretField('Password of the user.').optional(),
  ssl: sslField,
  connect_timeout: connectTimeout('10s'),
  statement_timeout: statementTimeout(
    'Ends a statement that runs longer, reading included. By default what the server has set.',
  ),
  max_connections: maxConnections(
    'Most connections that read increments at the same time, and most that hold the snapshot of a full read; one more holds an earlier moment.',
  ),
});

const schema = z.strictObject({
  connection: connection
    .superRefine(requireUnlessUri(['host', 'database', 'username']))
    .meta({ description: 'Where the database is and how to log in.' }),
  tables: globs
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
  late_commit_margin: lateCommitMargin(
    'Where the server does not tell which transactions are open (no PROCESS right, or a replica): rows at most this much older than the newest are read again by each increment.',
  ),
});

/** The configuration of a MySQL or MariaDB source, parsed. */
export type MysqlConfig = z.output<typeof schema>;

/** What can be configured. */
export const mysqlConfig = configSpec(schema);
