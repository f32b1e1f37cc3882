import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import {
  applicationName,
  connectTimeout,
  globs,
  maxConnections,
  portField,
  publication,
  requireUnlessUri,
  sslField,
  statementTimeout,
  text,
} from '../shared/connection-fields';

const connection = z.strictObject({
  uri: secretField(
    'Everything in one: `postgresql://username:password@host:port/database`. Fields given beside it win.',
  ).optional(),
  host: text
    .meta({
      description: 'Name or address of the server, or the folder of its Unix socket. Required without `uri`.',
      example: 'db.company.com',
    })
    .optional(),
  port: portField(5432),
  database: text.meta({ description: 'Database to read. Required without `uri`.', example: 'analytics' }).optional(),
  username: text
    .meta({
      description: 'Role to log in as; it needs SELECT on the tables, nothing more. Required without `uri`.',
      example: 'readonly_user',
    })
    .optional(),
  password: secretField('Password of the role.').optional(),
  ssl: sslField,
  application_name: applicationName('How the connections are named in pg_stat_activity.'),
  connect_timeout: connectTimeout('10s'),
  statement_timeout: statementTimeout(
    'Ends a statement that runs longer, reading included. By default what the server has set for the role.',
  ),
  max_connections: maxConnections(
    'Most connections that read at the same time. Up to two more hold the snapshot of a full read, one more follows the log.',
  ),
  publication: publication(
    'To follow changes: a publication that the owner of the tables has made, where the role may not make one. By default one is made for the integration, and removed with it.',
  ),
});

const schema = z.strictObject({
  connection: connection
    .superRefine(requireUnlessUri(['host', 'database', 'username']))
    .meta({ description: 'Where the database is and how to log in.' }),
  schemas: globs
    .meta({
      description: 'Schemas to read, as names or globs (`*`, `?`). By default all but those of the system.',
      example: ['public', 'sales_*'],
    })
    .optional(),
  tables: globs
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
