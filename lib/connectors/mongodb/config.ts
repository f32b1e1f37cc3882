import * as z from 'zod';
import { configSpec, secretField } from '../../core/config';
import { REST } from '../../core/schema';
import {
  applicationName,
  connectTimeout,
  globs,
  maxConnections,
  portField,
  statementTimeout,
  text,
} from '../shared/connection-fields';
import { tlsFields } from '../shared/tls';

/** Members of a replica set to read from. */
export const READ_PREFERENCES = ['primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', 'nearest'] as const;
/** Ways to log in. */
export const AUTH_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'MONGODB-X509'] as const;

const connection = z.strictObject({
  uri: secretField(
    'Everything in one: `mongodb://username:password@host:port,host:port/database` or `mongodb+srv://...`. Fields given beside it win.',
  ).optional(),
  host: text
    .meta({
      description: 'Name or address of the server. Required without `uri` and `hosts`.',
      example: 'db.company.com',
    })
    .optional(),
  port: portField(27017),
  hosts: globs
    .meta({
      description: 'Several members of a replica set, or several routers, each as `host` or `host:port`.',
      example: ['db1.company.com:27017', 'db2.company.com:27017'],
    })
    .optional(),
  database: text
    .meta({ description: 'Database to read. Required, unless `uri` names it.', example: 'userdb' })
    .optional(),
  username: text
    .meta({
      description: 'User to log in as; the role `read` on the database is enough. Absent: no login.',
      example: 'analytics_user',
    })
    .optional(),
  password: secretField('Password of the user.').optional(),
  auth_database: text
    .meta({
      description:
        'Database that holds the user: `authSource`. By default `admin`, and where `uri` has a login, its database.',
      example: 'admin',
    })
    .optional(),
  auth_mechanism: z
    .enum(AUTH_MECHANISMS)
    .meta({ description: 'How to log in. By default the best that the server offers.' })
    .optional(),
  replica_set: text.meta({ description: 'Name that the replica set must have.', example: 'rs0' }).optional(),
  direct: z
    .boolean()
    .meta({ description: 'Speak to the one named host only, whatever replica set it belongs to.', default: false })
    .optional(),
  read_preference: z
    .enum(READ_PREFERENCES)
    .meta({ description: 'Members to read from. Increments are safest from the primary.', default: 'primary' })
    .optional(),
  ssl: z
    .union([z.boolean(), tlsFields])
    .meta({
      description:
        'Encrypt the connection. `true` verifies the certificate chain and host name against the well-known authorities; an object says more. Off by default, on with `mongodb+srv`.',
      example: true,
    })
    .optional(),
  application_name: applicationName("How the connections are named in the server's log."),
  connect_timeout: connectTimeout('10s', 'a server'),
  statement_timeout: statementTimeout(
    'Ends an operation that runs longer at the server. By default there is no limit.',
  ),
  max_connections: maxConnections('Most connections that read at the same time. One more watches each server.'),
});

type Connection = z.output<typeof connection>;

function requireParts(value: Connection, context: z.core.$RefinementCtx<Connection>): void {
  if (value.uri === undefined && value.database === undefined) {
    context.addIssue({ code: 'custom', path: ['database'], message: 'is required, unless "uri" names it' });
  }
  if (value.uri === undefined && value.host === undefined && value.hosts === undefined) {
    context.addIssue({ code: 'custom', path: ['host'], message: 'is required, unless "uri" or "hosts" is given' });
  }
}

const documents = z.strictObject({
  form: z
    .enum(['columns', 'json'])
    .optional()
    .meta({
      description: `\`columns\`: a column per field, found out by a sample, and the column \`${REST}\` for whatever does not fit into them. \`json\`: \`_id\`, the dates of the first level, and the whole in one column \`document\`.`,
      default: 'columns',
    }),
  depth: z.int().min(1).max(5).optional().meta({
    description:
      'With `columns`: levels of nested documents that become columns of their own, called `outer.inner`. What is deeper is JSON.',
    default: 1,
  }),
  sample: z.int().min(2).max(10_000).optional().meta({
    description: 'Documents that are looked at for the columns: half of them the first by `_id`, half the last.',
    default: 1000,
  }),
});

const schema = z.strictObject({
  connection: connection.superRefine(requireParts).meta({ description: 'Where the database is and how to log in.' }),
  collections: globs
    .meta({
      description:
        'Collections and views to read, as names or globs (`*`, `?`); one that begins with `!` excludes. By default all collections.',
      example: ['users', 'order_*', '!*_backup'],
    })
    .optional(),
  documents: documents.meta({ description: 'How documents become rows.' }).optional(),
});

/** The configuration of a MongoDB source, parsed. */
export type MongodbConfig = z.output<typeof schema>;

/** The `connection` section of it. */
export type ConnectionConfig = MongodbConfig['connection'];

/** What can be configured. */
export const mongodbConfig = configSpec(schema);
