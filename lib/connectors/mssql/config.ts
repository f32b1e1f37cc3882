import * as z from 'zod';
import { type ConfigSpec, configSpec, secretField } from '../../core/config';
import {
  connectTimeout,
  globs,
  lateCommitMargin,
  maxConnections,
  portField,
  statementTimeout,
  text,
} from '../shared/connection-fields';
import { tlsFields } from '../shared/tls';

const server = text.meta({ description: 'Name or address of the server.', example: 'sql.company.com' });
const common = {
  database: text.meta({ description: 'Database to read.', example: 'Analytics' }),
  password: secretField('Password of the user.').optional(),
  connect_timeout: connectTimeout('15s'),
  statement_timeout: statementTimeout(
    'Ends a statement whose first answer takes longer. By default there is no limit.',
  ),
  max_connections: maxConnections('Most connections at the same time.'),
};
const username = text.meta({ description: 'User to log in as; it needs SELECT on the tables.', example: 'explorerio' });

const connection = z.strictObject({
  server: server.optional(),
  host: text.meta({ description: 'Another name of `server`; one of them is required.' }).optional(),
  port: portField(1433),
  instance: text
    .meta({
      description:
        'A named instance, whose port is asked for at the SQL Server Browser (UDP 1434). With `port` it is not needed.',
      example: 'SQLEXPRESS',
    })
    .optional(),
  username,
  ...common,
  encrypt: z
    .boolean()
    .meta({ description: 'Encrypt the connection; without, only the login is where the server can.', default: true })
    .optional(),
  trust_server_certificate: z
    .boolean()
    .meta({ description: 'Take any certificate: anybody on the way can then read along.', default: false })
    .optional(),
  ssl: tlsFields
    .meta({
      description:
        'More about encryption, in the place of `trust_server_certificate`; `verification: ca` is not available.',
    })
    .optional(),
});

const azureConnection = z.strictObject({
  server: text.meta({ description: 'Name of the server.', example: 'company.database.windows.net' }),
  port: portField(1433),
  username: username.meta({ description: 'User to log in as. Required without `access_token`.' }).optional(),
  ...common,
  access_token: secretField(
    'A token of Microsoft Entra ID for `https://database.windows.net/`, in the place of user and password. It ends after about an hour, and is not renewed here.',
  ).optional(),
  encrypt: z
    .literal(true, 'connections to Azure SQL are always encrypted: leave it out, or set it to true')
    .meta({ description: 'Connections are always encrypted.', default: true })
    .optional(),
  ssl: tlsFields.meta({ description: 'More about encryption; `verification` is `full`.' }).optional(),
});

const options = {
  tables: globs
    .meta({
      description:
        'Tables and views to read, as names or globs (`*`, `?`); one that begins with `!` excludes. Those of schema `dbo` are called by their name alone, others `schema.table`. By default all.',
      example: ['orders', 'sales.*', '!*_backup'],
    })
    .optional(),
  seven_digits: z
    .enum(['text', 'fail'])
    .meta({
      description:
        'Times with seven digits of a second, of which six can be kept: `text` reads such columns as text with all digits; `fail` reads them as times, and stops the stream at a row whose seventh digit is not zero.',
      default: 'text',
    })
    .optional(),
  late_commit_margin: lateCommitMargin(
    'Increments by a time read rows again that are at most this much older than the newest, as their transactions may have ended late. A `rowversion` needs none.',
  ),
};

const schema = z.strictObject({
  connection: connection
    .superRefine((value, context) => {
      if ((value.server === undefined) === (value.host === undefined)) {
        context.addIssue({ code: 'custom', path: ['server'], message: 'is required, or "host", but not both' });
      }
    })
    .meta({ description: 'Where the database is and how to log in.' }),
  ...options,
});

const azureSchema = z.strictObject({
  connection: azureConnection
    .superRefine((value, context) => {
      if (value.access_token === undefined && value.username === undefined) {
        context.addIssue({
          code: 'custom',
          path: ['username'],
          message: 'is required, unless "access_token" is given',
        });
      }
    })
    .meta({ description: 'Where the database is and how to log in.' }),
  ...options,
});

type Connection = z.output<typeof connection>;

type Absent<T> = { readonly [name in keyof T]?: T[name] | undefined };

/** The configuration of a source, parsed; what one of the two types does not know is absent. */
export type MssqlConfig = Omit<z.output<typeof schema>, 'connection'> & {
  readonly connection: Absent<Connection> &
    Pick<Connection, 'database'> &
    Absent<Pick<z.output<typeof azureConnection>, 'access_token'>>;
};

/** What can be configured for SQL Server. */
export const mssqlConfig: ConfigSpec<MssqlConfig> = configSpec(schema);

/** What can be configured for Azure SQL. */
export const azureConfig: ConfigSpec<MssqlConfig> = configSpec(azureSchema);
